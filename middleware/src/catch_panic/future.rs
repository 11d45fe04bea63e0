use std::{
    convert::Infallible,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::CatchUnwind};
use narthex_core::{Denied, Reply};

type Caught<F> = Pin<Box<CatchUnwind<AssertUnwindSafe<F>>>>;

/// The future of [`CatchPanic`](super::CatchPanic).
pub struct CatchPanicFuture<F>(Option<Caught<F>>);

impl<F: Future> CatchPanicFuture<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(AssertUnwindSafe(future).catch_unwind())))
    }

    /// The service panicked before it gave a future.
    pub(super) fn panicked() -> Self {
        Self(None)
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for CatchPanicFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Ready(Ok(failed())) };
        future.as_mut().poll(cx).map(|caught| caught.unwrap_or_else(|_| Ok(failed())))
    }
}

fn failed() -> Reply {
    Reply::error(Denied::internal("what the catch_panic layer wraps panicked"))
}

impl<F> fmt::Debug for CatchPanicFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CatchPanicFuture")
    }
}
