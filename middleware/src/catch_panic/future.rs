use std::{
    any::Any,
    convert::Infallible,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use narthex_core::{Denied, Reply};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of [`CatchPanic`](super::CatchPanic).
    pub struct CatchPanicFuture<F> {
        // Nothing, where the service panicked before it gave a future.
        #[pin]
        inner: Option<F>,
    }
}

impl<F> CatchPanicFuture<F> {
    pub(super) fn new(inner: F) -> Self {
        Self { inner: Some(inner) }
    }

    /// The service panicked before it gave a future.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        log(panic);
        Self { inner: None }
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for CatchPanicFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.project().inner;
        let Some(future) = inner.as_mut().as_pin_mut() else { return Poll::Ready(Ok(failed())) };
        let reply = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(reply)) => reply,
            Err(panic) => {
                log(&*panic);
                Ok(failed())
            }
        };
        // What is dropped may panic, too; the reply is there.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| inner.set(None))) {
            log(&*panic);
        }
        Poll::Ready(reply)
    }
}

fn failed() -> Reply {
    Reply::error(Denied::internal("what the catch_panic layer wraps panicked"))
}

fn log(panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("no text"), "what the catch_panic layer wraps panicked");
}

impl<F> fmt::Debug for CatchPanicFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CatchPanicFuture")
    }
}
