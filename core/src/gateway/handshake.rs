//! The handshake's stack: tower layers around a verdict.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Empty, Full, Limited};
use tower::{Layer, Service, ServiceExt};

use crate::{error::BoxError, message::Payload, panic::caught, reply::Denied, stats::Counters};

/// The body of a handshake's answer.
pub type HandshakeBody = Full<Bytes>;

/// How much of a refusal's body is sent, in bytes.
const MAX_REFUSAL: usize = 64 * 1024;

type HandshakeCall =
    Arc<dyn Fn(Request<Empty<Bytes>>) -> BoxFuture<'static, Response<HandshakeBody>> + Send + Sync>;

/// Puts one layer around the handshake's route.
pub(crate) type HandshakeLayerFn = Box<dyn Fn(HandshakeRoute) -> HandshakeRoute + Send + Sync>;

/// The service that a layer of the handshake wraps: always ready, infallible, cheap to clone.
#[derive(Clone)]
pub struct HandshakeRoute(HandshakeCall);

/// Where the innermost service leaves the request's parts: the handshake is accepted.
#[derive(Clone, Default)]
struct Accepted(Arc<Mutex<Option<Parts>>>);

/// What the handshake's stack decided.
pub(crate) type Verdict = Result<(Parts, http::HeaderMap), Response<Bytes>>;

impl HandshakeRoute {
    /// The innermost service: `judge` lets the request pass or refuses it.
    pub(crate) fn innermost<F>(judge: F) -> Self
    where
        F: Fn(Parts) -> BoxFuture<'static, Result<Parts, Denied>> + Send + Sync + 'static,
    {
        Self(Arc::new(move |request| {
            let (mut parts, _) = request.into_parts();
            let accepted = parts.extensions.remove::<Accepted>().unwrap_or_default();
            let judged = judge(parts);
            Box::pin(async move {
                match judged.await {
                    Ok(parts) => {
                        *accepted.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts);
                        Response::new(Full::default())
                    }
                    Err(denied) => refusal(&denied),
                }
            })
        }))
    }

    fn layered<S, B>(service: S) -> Self
    where
        S: Service<Request<Empty<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        Self(Arc::new(move |request| {
            let service = service.clone();
            Box::pin(async move {
                match service.oneshot(request).await.map_err(Into::into) {
                    Ok(response) => collect(response).await,
                    Err(error) => failed(error),
                }
            })
        }))
    }

    /// Runs the whole stack.
    pub(crate) async fn judge(&self, request: Request<()>, counters: &Counters) -> Verdict {
        let accepted = Accepted::default();
        let mut request = request.map(|()| Empty::new());
        request.extensions_mut().insert(accepted.clone());
        let answer = AssertUnwindSafe(async { (self.0)(request).await }).catch_unwind().await;
        let answer =
            answer.unwrap_or_else(|panic| refusal(&caught("a layer of the handshake", &*panic, counters)));
        let parts = accepted.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (head, body) = answer.into_parts();
        match parts {
            Some(parts) if matches!(head.status, StatusCode::OK | StatusCode::SWITCHING_PROTOCOLS) => {
                Ok((parts, head.headers))
            }
            // A layer that answers "fine" without asking further has not let anybody in.
            _ if head.status.is_success() || head.status.is_informational() => {
                Err(plain(failed("a layer of the handshake answered by itself".into())))
            }
            _ => {
                let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                Err(Response::from_parts(head, body))
            }
        }
    }
}

fn plain(response: Response<HandshakeBody>) -> Response<Bytes> {
    // An internal refusal has a fixed, short body.
    response.map(|_| Bytes::from_static(b"Internal server error"))
}

/// A layer of the handshake: every [`tower::Layer`] around a [`HandshakeRoute`] whose service takes a
/// `Request<Empty<Bytes>>` and answers with a `Response<B>`, whatever body `B` it has, and is `Clone + Send + Sync`.
///
/// It is another name for that, and is not for implementing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer of the handshake",
    label = "not a handshake layer",
    note = "a handshake layer is a `tower::Layer<HandshakeRoute>` whose service is a `Service<Request<Empty<Bytes>>, Response = Response<_>> + Clone + Send + Sync + 'static`, with a future that is `Send` and an error that can be boxed",
    note = "layers of messages are added with `.layer(…)`"
)]
pub trait HandshakeLayer<B>: Send + Sync + 'static {
    /// Puts the layer around a route.
    #[doc(hidden)]
    fn wrap(&self, inner: HandshakeRoute) -> HandshakeRoute;
}

#[diagnostic::do_not_recommend]
impl<L, B> HandshakeLayer<B> for L
where
    L: Layer<HandshakeRoute> + Send + Sync + 'static,
    L::Service: Service<Request<Empty<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Empty<Bytes>>>>::Error: Into<BoxError>,
    <L::Service as Service<Request<Empty<Bytes>>>>::Future: Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn wrap(&self, inner: HandshakeRoute) -> HandshakeRoute {
        HandshakeRoute::layered(self.layer(inner))
    }
}

pub(crate) fn layer_fn<B>(layer: impl HandshakeLayer<B>) -> HandshakeLayerFn {
    Box::new(move |inner| layer.wrap(inner))
}

async fn collect<B>(response: Response<B>) -> Response<HandshakeBody>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (head, body) = response.into_parts();
    match Limited::new(body, MAX_REFUSAL).collect().await {
        Ok(body) => Response::from_parts(head, Full::new(body.to_bytes())),
        Err(error) => failed(error),
    }
}

fn failed(error: BoxError) -> Response<HandshakeBody> {
    refusal(&Denied::internal(error))
}

/// A refusal as an HTTP answer: the status of its kind, and the body that a message would get.
pub(crate) fn refusal(denied: &Denied) -> Response<HandshakeBody> {
    if let Some(source) = denied.source() {
        tracing::error!(error = %source, "a handshake failed");
    }
    let body = match denied.payload() {
        Payload::Json(json) => json.as_bytes().clone(),
        _ => Bytes::new(),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = denied.kind().status();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// The HTTP answer that a refused handshake gets: the status of the refusal's kind, and the body that a message would get.
impl From<Denied> for Response<HandshakeBody> {
    fn from(denied: Denied) -> Self {
        refusal(&denied)
    }
}

impl Service<Request<Empty<Bytes>>> for HandshakeRoute {
    type Response = Response<HandshakeBody>;
    type Error = Infallible;
    type Future = HandshakeFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> HandshakeFuture {
        HandshakeFuture((self.0)(request))
    }
}

impl fmt::Debug for HandshakeRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandshakeRoute")
    }
}

/// The future of a [`HandshakeRoute`].
pub struct HandshakeFuture(BoxFuture<'static, Response<HandshakeBody>>);

impl Future for HandshakeFuture {
    type Output = Result<Response<HandshakeBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(ready!(self.0.as_mut().poll(cx))))
    }
}

impl fmt::Debug for HandshakeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandshakeFuture")
    }
}
