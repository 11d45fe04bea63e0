//! What may be a layer of messages.

use std::convert::Infallible;

use tower::{Layer, Service};

use super::Route;
use crate::{extract::Event, reply::Reply};

/// A layer of messages: every [`tower::Layer`] around a [`Route`] whose service takes an [`Event`], answers with a
/// [`Reply`], never fails, and is `Clone + Send + Sync`.
///
/// It is another name for that, and is not for implementing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer of messages",
    label = "not a message layer",
    note = "a message layer is a `tower::Layer<Route>` whose service is a `Service<Event, Response = Reply, Error = Infallible> + Clone + Send + Sync + 'static`, with a future that is `Send`",
    note = "a service that may fail needs `narthex::middleware::HandleErrorLayer` outside of it"
)]
pub trait MessageLayer: Send + Sync + 'static {
    /// Puts the layer around a route.
    #[doc(hidden)]
    fn wrap(&self, inner: Route) -> Route;
}

#[diagnostic::do_not_recommend]
impl<L> MessageLayer for L
where
    L: Layer<Route> + Send + Sync + 'static,
    L::Service: Service<Event, Response = Reply, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Event>>::Future: Send + 'static,
{
    fn wrap(&self, inner: Route) -> Route {
        Route::new(self.layer(inner))
    }
}

/// Puts one layer around a route.
pub(crate) type LayerFn = Box<dyn Fn(Route) -> Route + Send + Sync>;

pub(crate) fn layer_fn(layer: impl MessageLayer) -> LayerFn {
    Box::new(move |inner| layer.wrap(inner))
}
