use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use narthex_core::Reply;
use pin_project_lite::pin_project;

use super::received::Call;

pin_project! {
    /// The future of [`Metrics`](super::Metrics).
    pub struct MetricsFuture<F> {
        #[pin]
        inner: F,
        call: Call,
    }
}

impl<F> MetricsFuture<F> {
    pub(super) fn new(inner: F, call: Call) -> Self {
        Self { inner, call }
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for MetricsFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.call.progress.enter();
        let polled = this.inner.poll(cx);
        this.call.progress.leave();
        let Ok(reply) = ready!(polled);
        this.call.finish(&reply);
        Poll::Ready(Ok(reply))
    }
}

impl<F> fmt::Debug for MetricsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsFuture")
    }
}
