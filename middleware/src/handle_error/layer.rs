use std::{
    fmt,
    future::{Ready, ready},
};

use narthex_core::{BoxError, Denied, DeniedKind};
use tower::{Layer, load_shed::error::Overloaded, timeout::error::Elapsed};

use super::HandleError;

type OfTower = fn(BoxError) -> Ready<Denied>;

/// Turns the errors of the layers inside of it into replies, by an async fn of the error: axum's way.
///
/// Put it outside of the fallible layers, in one `ServiceBuilder`: by themselves they are no message layers. The error is that of
/// the layers, mostly a [`BoxError`]; failures of handlers are replies and do not come here. A panic of the fn is answered as one of
/// the handler.
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until something is wrapped in it"]
pub struct HandleErrorLayer<F = OfTower> {
    handle: F,
}

impl<F> HandleErrorLayer<F> {
    /// Turns errors into replies by `handle`, an `async fn(BoxError) -> impl IntoReply`.
    pub fn new(handle: F) -> Self {
        Self { handle }
    }
}

impl HandleErrorLayer {
    /// Knows the errors of tower's own layers: [`Elapsed`] is answered with `Timeout`, [`Overloaded`] with `Overloaded`. Any other
    /// error is unexpected: it is logged, and the client reads "Internal server error".
    pub fn tower() -> Self {
        Self::new(|error| ready(of_tower(error)))
    }
}

/// The same as [`HandleErrorLayer::tower`].
impl Default for HandleErrorLayer {
    fn default() -> Self {
        Self::tower()
    }
}

fn of_tower(error: BoxError) -> Denied {
    if error.is::<Elapsed>() {
        Denied::new(DeniedKind::Timeout, "The handler took too long").with_source(error)
    } else if error.is::<Overloaded>() {
        Denied::new(DeniedKind::Overloaded, "Overloaded").with_source(error)
    } else {
        Denied::internal(error)
    }
}

impl<S, F: Clone> Layer<S> for HandleErrorLayer<F> {
    type Service = HandleError<S, F>;

    fn layer(&self, inner: S) -> HandleError<S, F> {
        HandleError { inner, handle: self.handle.clone() }
    }
}

impl<F> fmt::Debug for HandleErrorLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleErrorLayer")
    }
}
