//! Layers from async fns: [`from_fn`](from_fn()) for messages, [`handshake`](handshake()) for the handshake.

mod future;
mod handshake;
mod layer;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    task::{Context, Poll},
};

use narthex_core::{Event, IntoReply, Reply, Route};
use tower::Service;

pub use self::{
    future::FromFnFuture,
    handshake::{
        HandshakeFn, HandshakeFnLayer, HandshakeNext, HandshakeRequest, HandshakeResponse,
        IntoHandshakeResponse, handshake,
    },
    layer::FromFnLayer,
};

/// Makes a message layer from an async fn of the event and what comes after it.
///
/// ```
/// use narthex_core::{Event, Gateway, Reply};
/// use narthex_middleware::from_fn::{Next, from_fn};
///
/// async fn name_it(event: Event, next: Next) -> Reply {
///     let name = event.name().clone();
///     let reply = next.run(event).await;
///     println!("{name}: {reply:?}");
///     reply
/// }
///
/// let gateway = Gateway::new().layer(from_fn(name_it));
/// ```
///
/// It wraps a [`Route`]: in a `ServiceBuilder` it can only be the last, so give it to `.layer(…)` by itself.
pub fn from_fn<F>(f: F) -> FromFnLayer<F> {
    FromFnLayer::new(f)
}

/// What comes after a layer made by [`from_fn`].
#[derive(Clone, Debug)]
pub struct Next(Route);

impl Next {
    /// Runs the rest of the stack.
    pub async fn run(mut self, event: Event) -> Reply {
        match self.0.call(event).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        }
    }
}

/// The service of [`FromFnLayer`].
#[derive(Clone)]
pub struct FromFn<F> {
    f: F,
    inner: Route,
}

impl<F, Fut, R> Service<Event> for FromFn<F>
where
    F: Fn(Event, Next) -> Fut,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoReply,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = FromFnFuture<Fut>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A route is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: Event) -> Self::Future {
        FromFnFuture::new((self.f)(event, Next(self.inner.clone())))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}
