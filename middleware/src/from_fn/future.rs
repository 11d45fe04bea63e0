use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use narthex_core::{IntoReply, Reply};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of [`FromFn`](super::FromFn).
    pub struct FromFnFuture<F> {
        #[pin]
        run: F,
    }
}

impl<F> FromFnFuture<F> {
    pub(super) fn new(run: F) -> Self {
        Self { run }
    }
}

impl<F: Future<Output = R>, R: IntoReply> Future for FromFnFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx).map(|result| Ok(result.into_reply()))
    }
}

impl<F> fmt::Debug for FromFnFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFnFuture")
    }
}
