//! An interceptor: a layer that maps replies.

mod future;
mod layer;

use std::{
    fmt,
    task::{Context, Poll},
};

use narthex_core::{Event, IntoReply, Reply};
use tower::Service;

pub use self::{future::MapReplyFuture, layer::MapReplyLayer};

/// Makes a message layer that maps replies: a fn that sees the event on its way in, and gives the fn for its reply.
///
/// What is kept of the one for the other is between them, such as when the call began. [`Reply::map_values`] maps the bare
/// values in a reply, items of streams among them; [`map_emits`](Reply::map_emits) the emits and
/// [`map_errors`](Reply::map_errors) the failures, which stay as they are otherwise.
///
/// ```
/// use std::time::Instant;
///
/// use narthex_core::{Event, Gateway, Json, Payload, Reply};
/// use narthex_middleware::map_reply;
///
/// #[derive(serde::Serialize)]
/// struct Timed {
///     data: Payload,
///     took: u128,
/// }
///
/// let timed = map_reply(|_: &Event| {
///     let start = Instant::now();
///     move |reply: Reply| reply.map_values(move |data| Json(Timed { data, took: start.elapsed().as_millis() }))
/// });
/// let gateway = Gateway::new().layer(timed);
/// ```
///
/// A layer that must await something, or answer by itself, is made by [`from_fn`](crate::from_fn::from_fn).
pub fn map_reply<F, M>(f: F) -> MapReplyLayer<F>
where
    F: Fn(&Event) -> M,
{
    MapReplyLayer::new(f)
}

/// The service of [`MapReplyLayer`].
#[derive(Clone, Copy)]
pub struct MapReply<S, F> {
    inner: S,
    f: F,
}

impl<S, F, M, R> Service<Event> for MapReply<S, F>
where
    S: Service<Event, Response = Reply>,
    F: Fn(&Event) -> M,
    M: FnOnce(Reply) -> R,
    R: IntoReply,
{
    type Response = Reply;
    type Error = S::Error;
    type Future = MapReplyFuture<S::Future, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let map = (self.f)(&event);
        MapReplyFuture::new(self.inner.call(event), map)
    }
}

impl<S, F> fmt::Debug for MapReply<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapReply")
    }
}
