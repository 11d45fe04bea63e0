//! Makes fallible tower layers fit: the stack of messages is infallible.
//!
//! ```
//! use std::time::Duration;
//!
//! use narthex_core::{BoxError, Denied, DeniedKind, Gateway};
//! use narthex_middleware::HandleErrorLayer;
//! use tower::{
//!     ServiceBuilder, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer, timeout::TimeoutLayer,
//! };
//!
//! async fn busy(error: BoxError) -> Denied {
//!     Denied::new(DeniedKind::Overloaded, "Come back later").with_source(error)
//! }
//!
//! let stack = ServiceBuilder::new()
//!     .layer(HandleErrorLayer::new(busy))
//!     .layer(LoadShedLayer::new())
//!     .layer(ConcurrencyLimitLayer::new(64))
//!     .layer(TimeoutLayer::new(Duration::from_secs(5)));
//! let gateway = Gateway::new().layer(stack);
//! ```

mod future;
mod layer;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    mem,
    task::{Context, Poll},
};

use narthex_core::{Event, IntoReply, Reply};
use tower::Service;

pub use self::{future::HandleErrorFuture, layer::HandleErrorLayer};

/// The service of [`HandleErrorLayer`].
#[derive(Clone, Copy)]
pub struct HandleError<S, F> {
    inner: S,
    handle: F,
}

impl<S, F, Fut, R> Service<Event> for HandleError<S, F>
where
    S: Service<Event, Response = Reply> + Clone,
    F: Fn(S::Error) -> Fut + Clone,
    Fut: Future<Output = R>,
    R: IntoReply,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = HandleErrorFuture<S, F, Fut>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness may fail too, so it is awaited where the failure has an answer.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let next = self.inner.clone();
        HandleErrorFuture::new(mem::replace(&mut self.inner, next), event, self.handle.clone())
    }
}

impl<S, F> fmt::Debug for HandleError<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleError")
    }
}
