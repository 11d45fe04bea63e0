use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use narthex_core::{IntoReply, Reply};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of [`MapReply`](super::MapReply).
    pub struct MapReplyFuture<F, M> {
        #[pin]
        inner: F,
        map: Option<M>,
    }
}

impl<F, M> MapReplyFuture<F, M> {
    pub(super) fn new(inner: F, map: M) -> Self {
        Self { inner, map: Some(map) }
    }
}

impl<F, E, M, R> Future for MapReplyFuture<F, M>
where
    F: Future<Output = Result<Reply, E>>,
    M: FnOnce(Reply) -> R,
    R: IntoReply,
{
    type Output = Result<Reply, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reply = ready!(this.inner.poll(cx))?;
        // Taken once: a future that has given its reply is not polled again.
        Poll::Ready(Ok(match this.map.take() {
            Some(map) => map(reply).into_reply(),
            None => reply,
        }))
    }
}

impl<F, M> fmt::Debug for MapReplyFuture<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapReplyFuture")
    }
}
