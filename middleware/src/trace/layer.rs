use std::sync::Arc;

use narthex_core::{HandshakeRoute, Route};
use tower::Layer;

use super::{Trace, TraceHandshake, redact::Redact};

/// Makes spans of connections and of messages: see [the module](super). Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TraceLayer(Arc<Options>);

#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) query: bool,
    pub(super) peer: bool,
    pub(super) redact: Redact,
}

impl TraceLayer {
    /// The layer. It records neither the query nor the peer's address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the handshake's query, with `[redacted]` for the values of parameters that carry credentials: whose name
    /// has `token`, `ticket`, `auth`, `pass`, `pwd`, `secret`, `session`, `jwt`, `credential`, `signature` or `key` in it,
    /// or is `sid`, `sig` or `code`; and for what has no name.
    #[must_use]
    pub fn with_query(self) -> Self {
        self.changed(|options| options.query = true)
    }

    /// Takes out the values of one more query parameter, in upper or lower case.
    #[must_use]
    pub fn redact(self, name: &str) -> Self {
        self.changed(|options| options.redact.add(name))
    }

    /// Records the peer's address, where the door knows it. It is personal data in many places.
    #[must_use]
    pub fn with_peer_addr(self) -> Self {
        self.changed(|options| options.peer = true)
    }

    fn changed(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(super) fn options(&self) -> &Options {
        &self.0
    }
}

impl Layer<HandshakeRoute> for TraceLayer {
    type Service = TraceHandshake<HandshakeRoute>;

    fn layer(&self, inner: HandshakeRoute) -> Self::Service {
        TraceHandshake::new(inner, self.clone())
    }
}

impl Layer<Route> for TraceLayer {
    type Service = Trace<Route>;

    fn layer(&self, inner: Route) -> Self::Service {
        Trace::new(inner)
    }
}
