//! What everything behind one door shares.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use narthex_core::{CloseReason, Connect, DecodeLimits, Envelope};
use narthex_http::{HttpBody, Origins};
use socketioxide::{SocketIo as Engine, service::SocketIoService};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    connection::Connection,
    io::EngineIo,
    member::SocketIoClient,
    place::{Places, Relay},
    registry::Registry,
    settings::Settings,
};

pub(crate) type EngineService = SocketIoService<Elsewhere, Relay>;

/// What the engine passes requests on to that are not for it. There are none: the listener gives it its own path alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elsewhere;

impl Service<Request<HttpBody>> for Elsewhere {
    type Response = Response<HttpBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<HttpBody>) -> Self::Future {
        ready(Ok(narthex_http::text(StatusCode::NOT_FOUND, "Not found")))
    }
}

/// What all requests and all clients of one [`SocketIo`](crate::SocketIo) share.
pub(crate) struct Door {
    pub(crate) settings: Settings,
    pub(crate) origins: Origins,
    pub(crate) limits: DecodeLimits,
    pub(crate) outbox_bytes: usize,
    /// What is sent to a client goes to the engine at once; not so where a full outbox drops messages.
    pub(crate) direct: bool,
    /// One for all clients, so that broadcasts are encoded once.
    pub(crate) envelope: Arc<dyn Envelope>,
    /// The namespaces without parameters, which are never freed.
    pub(crate) literal: Vec<String>,
    pub(crate) places: Arc<Places>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) draining: CancellationToken,
    pub(crate) engine: OnceLock<(EngineService, Engine<Relay>)>,
    /// Paths are mounted before the core announces itself; a request in between waits for it.
    pub(crate) connect: SetOnce<Connect<SocketIoClient>>,
}

impl Door {
    fn service(&self) -> Option<EngineService> {
        self.engine.get().map(|(service, _)| service.clone())
    }

    /// Has the engine answer a request.
    pub(crate) async fn ask(&self, request: Request<HttpBody>) -> Response<Bytes> {
        let Some(mut service) = self.service() else { return failed() };
        let response = match Service::<Request<HttpBody>>::call(&mut service, request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(head, body.to_bytes()),
            // The engine's bodies are in memory.
            Err(_) => failed(),
        }
    }

    /// Asks the engine in the name of a session's peer.
    pub(crate) async fn ask_as(
        &self,
        connection: &Connection,
        method: Method,
        body: &'static str,
    ) -> Option<Bytes> {
        let sid = connection.sid()?;
        let path = &self.settings.path;
        let uri = format!("{path}/?EIO=4&transport=polling&sid={sid}");
        let mut request = Request::new(narthex_http::full(body));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(uri).ok()?;
        let response = self.ask(request).await;
        (response.status() == StatusCode::OK).then(|| response.into_body())
    }

    /// Gives the engine a WebSocket; `false` where the engine refuses the request.
    pub(crate) fn carry<S>(&self, io: EngineIo<S>, request: Request<()>) -> bool
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let Some(mut service) = self.service() else { return false };
        Service::<(EngineIo<S>, Request<()>)>::call(&mut service, (io, request)).into_inner().is_ok()
    }

    /// Ends a session, once what it is owed is written or its time is over.
    pub(crate) async fn close(&self, connection: &Connection, cause: Option<CloseReason>) {
        if cause != Some(CloseReason::Overflow) {
            // One that does not read is cut off all the same.
            let _ = tokio::time::timeout(self.settings.close_timeout, connection.flushed()).await;
        }
        connection.kill(cause);
        // For a session on polling, which has no stream to end.
        self.ask_as(connection, Method::POST, "1").await;
    }
}

fn failed() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"Internal server error"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("settings", &self.settings).finish_non_exhaustive()
    }
}
