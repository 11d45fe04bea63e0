use std::{
    convert::Infallible,
    fmt,
    future::Future,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Empty;
use narthex_core::{Denied, HandshakeBody, HandshakeRoute};
use tower::{Layer, Service};

/// The request of a handshake, as layers see it.
pub type HandshakeRequest = Request<Empty<Bytes>>;

/// The answer to a handshake, as layers see it: 200 from the innermost service where the client is let in.
pub type HandshakeResponse = Response<HandshakeBody>;

/// Makes a handshake layer from an async fn of the request and what comes after it.
///
/// A client is let in only where the rest of the stack was run and says so: an answer of one's own is a refusal. An error that the
/// fn returns is one too, with the status of its kind. Headers that are put on the answer go on the door's, except on Socket.IO,
/// which has none there.
///
/// ```
/// use narthex_core::{Denied, Gateway};
/// use narthex_middleware::from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// async fn tenant(mut request: HandshakeRequest, next: HandshakeNext) -> Result<HandshakeResponse, Denied> {
///     let host = request.headers().get("host").and_then(|host| host.to_str().ok());
///     let Some((tenant, _)) = host.and_then(|host| host.split_once('.')) else {
///         return Err(Denied::not_found("There is nobody of that name here"));
///     };
///     let tenant = Tenant(tenant.to_owned());
///     request.extensions_mut().insert(tenant);
///     Ok(next.run(request).await)
/// }
///
/// let gateway = Gateway::new().handshake_layer(from_fn::handshake(tenant));
/// ```
pub fn handshake<F>(f: F) -> HandshakeFnLayer<F> {
    HandshakeFnLayer { f }
}

/// What the async fn of a handshake layer may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a layer of the handshake",
    label = "not the answer to a handshake",
    note = "return `HandshakeResponse`, `Denied` or a `Result<HandshakeResponse, impl Into<Denied>>`"
)]
pub trait IntoHandshakeResponse {
    /// Makes the answer.
    fn into_handshake_response(self) -> HandshakeResponse;
}

impl IntoHandshakeResponse for HandshakeResponse {
    fn into_handshake_response(self) -> HandshakeResponse {
        self
    }
}

impl IntoHandshakeResponse for Denied {
    fn into_handshake_response(self) -> HandshakeResponse {
        self.into()
    }
}

impl<T: IntoHandshakeResponse, E: Into<Denied>> IntoHandshakeResponse for Result<T, E> {
    fn into_handshake_response(self) -> HandshakeResponse {
        match self {
            Ok(answer) => answer.into_handshake_response(),
            Err(error) => error.into().into(),
        }
    }
}

/// What comes after a layer made by [`handshake`](handshake()).
#[derive(Clone, Debug)]
pub struct HandshakeNext(HandshakeRoute);

impl HandshakeNext {
    /// Runs the rest of the stack.
    pub async fn run(mut self, request: HandshakeRequest) -> HandshakeResponse {
        match self.0.call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}

/// The layer made by [`handshake`](handshake()).
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until something is wrapped in it"]
pub struct HandshakeFnLayer<F> {
    f: F,
}

impl<F: Clone> Layer<HandshakeRoute> for HandshakeFnLayer<F> {
    type Service = HandshakeFn<F>;

    fn layer(&self, inner: HandshakeRoute) -> HandshakeFn<F> {
        HandshakeFn { f: self.f.clone(), inner }
    }
}

/// The service of [`HandshakeFnLayer`].
#[derive(Clone)]
pub struct HandshakeFn<F> {
    f: F,
    inner: HandshakeRoute,
}

impl<F, Fut, R> Service<HandshakeRequest> for HandshakeFn<F>
where
    F: Fn(HandshakeRequest, HandshakeNext) -> Fut,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoHandshakeResponse,
{
    type Response = HandshakeResponse;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HandshakeResponse, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A route is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HandshakeRequest) -> Self::Future {
        let run = (self.f)(request, HandshakeNext(self.inner.clone()));
        Box::pin(async move { Ok(run.await.into_handshake_response()) })
    }
}

impl<F> fmt::Debug for HandshakeFnLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandshakeFnLayer")
    }
}

impl<F> fmt::Debug for HandshakeFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandshakeFn")
    }
}
