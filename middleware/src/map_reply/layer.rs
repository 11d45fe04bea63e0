use std::fmt;

use tower::Layer;

use super::MapReply;

/// The layer made by [`map_reply`](super::map_reply()).
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until something is wrapped in it"]
pub struct MapReplyLayer<F> {
    f: F,
}

impl<F> MapReplyLayer<F> {
    pub(super) fn new(f: F) -> Self {
        Self { f }
    }
}

impl<S, F: Clone> Layer<S> for MapReplyLayer<F> {
    type Service = MapReply<S, F>;

    fn layer(&self, inner: S) -> MapReply<S, F> {
        MapReply { inner, f: self.f.clone() }
    }
}

impl<F> fmt::Debug for MapReplyLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapReplyLayer")
    }
}
