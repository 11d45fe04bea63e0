//! Streams whose next item may take too long.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, stream::BoxStream};
use narthex_core::Reply;
use pin_project_lite::pin_project;

use super::{future::Deadline, too_long};

pin_project! {
    pub(super) struct Items {
        // Dropped as soon as it is late.
        stream: Option<BoxStream<'static, Reply>>,
        #[pin]
        deadline: Deadline,
    }
}

impl Items {
    pub(super) fn new(stream: BoxStream<'static, Reply>, time: Duration) -> Self {
        Self { stream: Some(stream), deadline: Deadline::new(time) }
    }
}

impl Stream for Items {
    type Item = Reply;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reply>> {
        let mut this = self.project();
        let Some(stream) = this.stream else { return Poll::Ready(None) };
        match stream.as_mut().poll_next(cx) {
            Poll::Ready(item) => {
                this.deadline.as_mut().restart();
                Poll::Ready(item)
            }
            Poll::Pending => this.deadline.poll_passed(cx).map(|()| {
                *this.stream = None;
                Some(too_long())
            }),
        }
    }
}
