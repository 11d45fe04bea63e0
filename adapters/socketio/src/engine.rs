//! The engine behind the front: socketioxide, or a bare engine of engineioxide.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use narthex_http::{HttpBody, HttpStream};
use tower::Service;

use crate::io::{EngineIo, Lent};

/// A WebSocket as an engine gets it.
pub(crate) type Carrier = EngineIo<Lent<HttpStream>>;

/// What answers the requests of sessions, without a type parameter.
pub(crate) trait Engine: Send + Sync {
    /// Answers a request.
    fn ask(&self, request: Request<HttpBody>) -> BoxFuture<'static, Response<Bytes>>;

    /// Takes a WebSocket; `false` where the engine refuses the request.
    fn carry(&self, io: Carrier, request: Request<()>) -> bool;
}

impl<S, B, E> Engine for S
where
    S: Service<Request<HttpBody>, Response = Response<B>, Error = Infallible>
        + Service<(Carrier, Request<()>), Response = (), Error = E, Future = Ready<Result<(), E>>>
        + Clone
        + Send
        + Sync,
    <S as Service<Request<HttpBody>>>::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    fn ask(&self, request: Request<HttpBody>) -> BoxFuture<'static, Response<Bytes>> {
        let answered = Service::<Request<HttpBody>>::call(&mut self.clone(), request);
        Box::pin(async move {
            let response = match answered.await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (head, body) = response.into_parts();
            match body.collect().await {
                Ok(body) => Response::from_parts(head, body.to_bytes()),
                // The engine's bodies are in memory.
                Err(_) => failed(),
            }
        })
    }

    fn carry(&self, io: Carrier, request: Request<()>) -> bool {
        Service::<(Carrier, Request<()>)>::call(&mut self.clone(), (io, request)).into_inner().is_ok()
    }
}

/// An answer that tells the peer nothing.
pub(crate) fn failed() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"Internal server error"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

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
