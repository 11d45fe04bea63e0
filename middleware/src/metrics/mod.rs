//! Metrics of connections and messages, by the [`metrics`](https://docs.rs/metrics) facade (feature `metrics`).
//!
//! One [`MetricsLayer`] is a layer of messages and an observer, and is asked to [`collect`](MetricsLayer::collect) what the
//! server itself counts, before each scrape. Each part works without the others.
//!
//! ```
//! use narthex_core::{Gateway, Server};
//! use narthex_middleware::MetricsLayer;
//!
//! // Behind the installation of a recorder.
//! let metrics = MetricsLayer::new();
//! let server = Server::new(Gateway::new()).observe(metrics.clone()).message_layer(metrics.clone());
//! ```
//!
//! | name | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `narthex_connections` | gauge | `adapter` | clients that are in |
//! | `narthex_connections_total` | counter | `adapter` | clients that were let in |
//! | `narthex_connections_refused_total` | counter | `adapter`, `namespace`, `status` | clients that were not |
//! | `narthex_disconnects_total` | counter | `adapter`, `reason` | clients that left, by the name of their [`CloseReason`](narthex_core::CloseReason) |
//! | `narthex_messages_received_total` | counter | `event`, `outcome` | messages, by what became of them |
//! | `narthex_handler_duration_seconds` | histogram | `event` | how long a message took, with all that this layer wraps |
//! | `narthex_messages_sent_total` | counter | `event` | messages out; one to a room is one |
//! | `narthex_deliveries_total` | counter | `event` | messages out, counted for each client |
//! | `narthex_outbox_messages`, `narthex_outbox_bytes` | gauge | | what waits in all outboxes |
//! | `narthex_outbox_dropped_total` | counter | | messages that an outbox policy has dropped |
//! | `narthex_outbox_overflowed_total` | counter | | clients that were disconnected because their outbox was full |
//! | `narthex_messages_overloaded_total` | counter | | messages that were answered `Overloaded` |
//! | `narthex_bad_frames_total` | counter | | frames that could not be read |
//! | `narthex_values_dropped_total` | counter | | bare values that had nowhere to go |
//! | `narthex_panics_total` | counter | | panics that were caught |
//!
//! The last eight names are collected. **Every set of labels is bounded**, whatever peers send: `event` of a message is the
//! event as it was registered, `_unknown` for what nobody has registered and `_unreadable` for a frame that cannot be read;
//! `outcome` is `ok`, the name of a [`DeniedKind`](narthex_core::DeniedKind) or `cancelled`; `namespace` is the pattern that
//! was registered, `_unknown` where there is none. `event` of what goes out is the server's own word: of these the first
//! hundred are labels ([`MetricsLayer::outgoing_events`]), the others are `_other`; answers are `_ack` and `_error`. Rooms,
//! users and ids are no labels.
//!
//! Two gateways on one namespace that both handle an event are one message to a server's layer. An error that a filter has turned into
//! another reply counts as the error that it was. Of a stream, the beginning counts.

mod cache;
mod future;
mod layer;
mod names;
mod observer;
mod received;
mod sampled;
mod sent;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use narthex_core::{Event, Reply};
use tower::Service;

pub use self::{future::MetricsFuture, layer::MetricsLayer};
use self::{layer::Shared, received::Call};

/// The service of [`MetricsLayer`].
#[derive(Clone, Debug)]
pub struct Metrics<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Event> for Metrics<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = MetricsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let call = Call::begin(self.shared.received(&event));
        MetricsFuture::new(self.inner.call(event), call)
    }
}
