use std::fmt;

use narthex_core::Route;
use tower::Layer;

use super::FromFn;

/// The layer made by [`from_fn`](super::from_fn()).
#[derive(Clone, Copy)]
pub struct FromFnLayer<F> {
    f: F,
}

impl<F> FromFnLayer<F> {
    pub(super) fn new(f: F) -> Self {
        Self { f }
    }
}

impl<F: Clone> Layer<Route> for FromFnLayer<F> {
    type Service = FromFn<F>;

    fn layer(&self, inner: Route) -> FromFn<F> {
        FromFn { f: self.f.clone(), inner }
    }
}

impl<F> fmt::Debug for FromFnLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFnLayer")
    }
}
