use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use narthex_core::Reply;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

use super::{Times, items::Items, too_long};

pin_project! {
    /// The future of [`Timeout`](super::Timeout).
    pub struct TimeoutFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        deadline: Deadline,
        item: Option<Duration>,
    }
}

impl<F> TimeoutFuture<F> {
    pub(super) fn new(inner: F, times: Times) -> Self {
        Self { inner, deadline: Deadline::new(times.call), item: times.item }
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for TimeoutFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match (this.inner.poll(cx)?, *this.item) {
            (Poll::Ready(reply), None) => Poll::Ready(Ok(reply)),
            (Poll::Ready(reply), Some(time)) => {
                Poll::Ready(Ok(reply.map_streams(|stream| Items::new(stream, time))))
            }
            (Poll::Pending, _) => this.deadline.poll_passed(cx).map(|()| Ok(too_long())),
        }
    }
}

impl<F> fmt::Debug for TimeoutFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimeoutFuture")
    }
}

pin_project! {
    /// A time that runs from the first wait for it: who is ready at once costs no look at the clock.
    pub(super) struct Deadline {
        time: Duration,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Deadline {
    pub(super) fn new(time: Duration) -> Self {
        Self { time, sleep: None }
    }

    /// The next wait starts the time anew.
    pub(super) fn restart(self: Pin<&mut Self>) {
        self.project().sleep.set(None);
    }

    pub(super) fn poll_passed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep(*this.time)));
        }
        match this.sleep.as_pin_mut() {
            // What is waited for may have used up the task's budget, and then tokio's timer never says that it is over.
            Some(sleep) if sleep.deadline() > Instant::now() => sleep.poll(cx),
            _ => Poll::Ready(()),
        }
    }
}
