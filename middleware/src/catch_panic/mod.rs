//! Turns panics of what it wraps into replies.
//!
//! The core already ends a panicking call alone, and answers it. This layer catches earlier: layers outside of it see
//! the failed reply and can count it, map it or trace it. What is caught here is logged, and is not in the `panics` of
//! [`Stats`](narthex_core::Stats). A stream that panics later ends as without this layer: with a failure.
//!
//! ```
//! use narthex_core::Gateway;
//! use narthex_middleware::CatchPanicLayer;
//!
//! let gateway = Gateway::new().layer(CatchPanicLayer::new());
//! ```

mod future;
mod layer;

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

use narthex_core::{Event, Reply};
use tower::Service;

pub use self::{future::CatchPanicFuture, layer::CatchPanicLayer};

/// The service of [`CatchPanicLayer`].
#[derive(Clone, Copy, Debug)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S> CatchPanic<S> {
    /// Catches the panics of `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Event> for CatchPanic<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = CatchPanicFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(event))) {
            Ok(future) => CatchPanicFuture::new(future),
            Err(panic) => CatchPanicFuture::panicked(&*panic),
        }
    }
}
