use std::sync::Arc;

use ::metrics::Recorder;
use narthex_core::{Sent, ServerHandle};
use tower::Layer;

use super::{Metrics, cache::Cache, names::Sink, received::Received, sampled::Sampled, sent::Outgoing};

/// How many names of outgoing events are labels, where nobody says otherwise.
const OUTGOING: usize = 100;

/// Counts connections and messages: see [the module](super). Cheap to clone.
///
/// Handles of an event's metrics are made when it first comes, and kept: install the recorder before.
#[derive(Clone, Debug)]
pub struct MetricsLayer(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sink: Sink,
    pub(super) received: Cache<Received>,
    outgoing: Outgoing,
    sampled: Sampled,
}

impl Default for MetricsLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl MetricsLayer {
    /// Records to the installed recorder of the `metrics` facade; without one, nothing is recorded.
    pub fn new() -> Self {
        let sink = Sink::default();
        sink.describe();
        Self::of(sink, OUTGOING)
    }

    /// Records to a recorder of its own.
    pub fn with_recorder(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        let sink = Sink::to(recorder);
        sink.describe();
        Self::of(sink, OUTGOING)
    }

    /// How many names of outgoing events are labels: the first so many, 100 by default. The others are `_other`. What was
    /// cloned before keeps counting by itself.
    #[must_use]
    pub fn outgoing_events(self, most: usize) -> Self {
        Self::of(self.0.sink.clone(), most)
    }

    fn of(sink: Sink, outgoing: usize) -> Self {
        Self(Arc::new(Shared {
            sink,
            received: Cache::new(usize::MAX),
            outgoing: Outgoing::new(outgoing),
            sampled: Sampled::default(),
        }))
    }

    /// Passes on what a server itself counts: call it before each scrape, always with the same server. What waits in
    /// outboxes is summed over all clients.
    pub fn collect(&self, server: &ServerHandle) {
        self.0.sampled.collect(&self.0.sink, server);
    }

    pub(super) fn sink(&self) -> &Sink {
        &self.0.sink
    }

    pub(super) fn count_sent(&self, sent: &Sent<'_>) {
        self.0.outgoing.count(&self.0.sink, sent);
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = Metrics<S>;

    fn layer(&self, inner: S) -> Metrics<S> {
        Metrics { inner, shared: Arc::clone(&self.0) }
    }
}
