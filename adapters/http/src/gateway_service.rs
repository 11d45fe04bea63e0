//! A server without a listener: a tower service.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use narthex_core::{BoundServer, BoxError, Error, ErrorKind, Result, ServerHandle};
use tokio::sync::Mutex as AsyncMutex;
use tower::Service;

use crate::{
    body::{HttpBody, boxed, empty, text},
    bounded::Bounded,
    config::HttpConfig,
    foreign::Foreign,
    listener::{Detached, End, Http},
    permits::Permits,
    phase::Phase,
    service::{self, HttpService},
};

/// A server as a tower service, for an axum `Router` or any hyper server of the user's own. Every door works through
/// it, WebSocket upgrades included. Cheap to clone.
///
/// ```
/// use axum::{Router, routing::get};
/// use narthex_core::{Gateway, Result, Server};
/// use narthex_http::{GatewayService, HttpExt};
///
/// async fn app(server: Server) -> Result<(Router, GatewayService)> {
///     let service = server.into_service().await?;
///     let app = Router::new().route("/", get(|| async { "home" })).nest_service("/rt", service.clone());
///     Ok((app, service))
/// }
/// ```
///
/// What the other server does not bring, nobody does: the deadlines of heads, of idle connections and of writes, the
/// bounds of heads and of connections ([`HttpConfig`]) are the listener's, and there is none of ours. The bounds of request
/// bodies, of doors and of clients hold as ever. HTTP/1.1 upgrades must be on in hyper (`with_upgrades`;
/// `axum::serve` has them on).
///
/// The peer's address is known where a layer before this service puts a [`PeerAddr`](narthex_core::PeerAddr) into the
/// request's extensions. [`HttpExt::tls`](crate::HttpExt) is not for the other server's connections.
///
/// When all clones are dropped the server drains in the background, without waiting.
pub struct GatewayService {
    /// Behind a lock since a service need not be `Sync`; it is held to clone.
    service: Mutex<HttpService>,
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<HttpConfig>,
    permits: Arc<Permits>,
    end: End,
    handle: ServerHandle,
    /// Taken by the one who ends it; the lock is held until it has ended.
    server: AsyncMutex<Option<BoundServer>>,
}

impl GatewayService {
    pub(crate) fn new(server: BoundServer, http: &Http) -> Result<Self> {
        let no_door = || Error::new(ErrorKind::Config, "no adapter of the server speaks HTTP");
        let Detached { service, config, permits, end } = http.detached().ok_or_else(no_door)?;
        let handle = server.handle();
        let inner = Inner { config, permits, end, handle, server: AsyncMutex::new(Some(server)) };
        Ok(Self { service: Mutex::new(service), inner: Arc::new(inner) })
    }

    /// Looks into the server. Its `stop` ends [`serve_until_stopped`](Self::serve_until_stopped).
    pub fn handle(&self) -> ServerHandle {
        self.inner.handle.clone()
    }

    /// Waits for Ctrl-C, on Unix SIGTERM, [`ServerHandle::stop`] or the failure of a door with an address of its own, and
    /// drains. Made for axum's `with_graceful_shutdown`.
    ///
    /// Not cancel safe: dropped, it lets the server drain in the background.
    ///
    /// # Errors
    ///
    /// Those of [`BoundServer::serve`]; none where somebody else has drained it.
    pub async fn serve_until_stopped(&self) -> Result<()> {
        let mut server = self.inner.server.lock().await;
        match server.take() {
            Some(server) => server.serve_until_stopped().await,
            None => Ok(()),
        }
    }

    /// Lets nobody in from now on (503), finishes running requests and handlers, sends what is queued, closes every client
    /// with 1001 and runs `on_disconnect`. Drain before the other server is told to stop, or upgraded connections end
    /// without a word.
    ///
    /// Not cancel safe: dropped, it lets the server drain in the background.
    ///
    /// # Errors
    ///
    /// Those of [`BoundServer::drain`]; none where somebody else drains it, whose end is awaited.
    pub async fn drain(&self) -> Result<()> {
        self.inner.handle.stop();
        let mut server = self.inner.server.lock().await;
        match server.take() {
            Some(server) => server.drain().await,
            None => Ok(()),
        }
    }
}

impl Clone for GatewayService {
    fn clone(&self) -> Self {
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { service: Mutex::new(service), inner: Arc::clone(&self.inner) }
    }
}

impl<B> Service<Request<B>> for GatewayService
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<HttpBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<HttpBody>, Infallible>>;

    /// Always ready; each request waits for the layers' readiness by itself.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.service.get_mut().unwrap_or_else(PoisonError::into_inner).clone();
        let inner = Arc::clone(&self.inner);
        let tracker = inner.end.tracker.clone();
        Box::pin(tracker.track_future(async move { Ok(inner.answer(service, request).await) }))
    }
}

impl Inner {
    async fn answer<B>(&self, service: HttpService, request: Request<B>) -> Response<HttpBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if self.end.draining.is_cancelled() {
            return going_away();
        }
        let foreign = Foreign::new(Arc::clone(&self.permits));
        let request = self.admit(request, foreign.clone());
        let response = tokio::select! {
            response = service::call(service, request) => response,
            () = self.end.killed.cancelled() => return going_away(),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            foreign.switch();
        }
        response
    }

    /// The request as services see it.
    fn admit<B>(&self, mut request: Request<B>, foreign: Foreign) -> Request<HttpBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        request.extensions_mut().insert(foreign);
        if !request.headers().contains_key(header::HOST)
            && let Some(authority) = request.uri().authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            // HTTP/2 has it in the URI (RFC 9113 section 8.3.1), doors look for the header.
            request.headers_mut().insert(header::HOST, host);
        }
        request.map(|body| match body.is_end_stream() {
            true => empty(),
            false => {
                Bounded::moving(boxed(body), self.config.body_timeout, Arc::<Phase>::default()).boxed_unsync()
            }
        })
    }
}

fn going_away() -> Response<HttpBody> {
    text(StatusCode::SERVICE_UNAVAILABLE, "The server is going away")
}

impl fmt::Debug for GatewayService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayService").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
