//! The names, and where they go.

use std::{fmt, sync::Arc};

use ::metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};

pub(super) const CONNECTIONS: &str = "narthex_connections";
pub(super) const CONNECTED: &str = "narthex_connections_total";
pub(super) const REFUSED: &str = "narthex_connections_refused_total";
pub(super) const DISCONNECTED: &str = "narthex_disconnects_total";
pub(super) const RECEIVED: &str = "narthex_messages_received_total";
pub(super) const DURATION: &str = "narthex_handler_duration_seconds";
pub(super) const SENT: &str = "narthex_messages_sent_total";
pub(super) const DELIVERED: &str = "narthex_deliveries_total";
pub(super) const OUTBOX_MESSAGES: &str = "narthex_outbox_messages";
pub(super) const OUTBOX_BYTES: &str = "narthex_outbox_bytes";
pub(super) const DROPPED: &str = "narthex_outbox_dropped_total";
pub(super) const OVERFLOWED: &str = "narthex_outbox_overflowed_total";
pub(super) const OVERLOADED: &str = "narthex_messages_overloaded_total";
pub(super) const BAD_FRAMES: &str = "narthex_bad_frames_total";
pub(super) const VALUES_DROPPED: &str = "narthex_values_dropped_total";
pub(super) const PANICS: &str = "narthex_panics_total";

const COUNTERS: [(&str, &str); 12] = [
    (CONNECTED, "Clients that were let in."),
    (REFUSED, "Clients that were not let in."),
    (DISCONNECTED, "Clients that left, by why."),
    (RECEIVED, "Messages from clients, by what became of them."),
    (SENT, "Messages to clients; one to a room is one."),
    (DELIVERED, "Messages to clients, counted for each client."),
    (DROPPED, "Messages that an outbox policy has dropped."),
    (OVERFLOWED, "Clients that were disconnected because their outbox was full."),
    (OVERLOADED, "Messages that were answered Overloaded."),
    (BAD_FRAMES, "Frames that could not be read."),
    (VALUES_DROPPED, "Bare values that had nowhere to go."),
    (PANICS, "Panics that were caught."),
];

const GAUGES: [(&str, Unit, &str); 3] = [
    (CONNECTIONS, Unit::Count, "Clients that are in."),
    (OUTBOX_MESSAGES, Unit::Count, "Messages that wait in the outboxes of all clients."),
    (OUTBOX_BYTES, Unit::Bytes, "Bytes that wait in the outboxes of all clients."),
];

const METADATA: Metadata<'static> = Metadata::new("narthex", Level::INFO, Some(module_path!()));

/// The recorder that metrics go to: one of the layer's own, or the installed one.
#[derive(Clone, Default)]
pub(super) struct Sink(Option<Arc<dyn Recorder + Send + Sync>>);

impl Sink {
    pub(super) fn to(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(recorder)))
    }

    fn with<T>(&self, act: impl FnOnce(&dyn Recorder) -> T) -> T {
        match &self.0 {
            Some(recorder) => act(&**recorder),
            None => ::metrics::with_recorder(act),
        }
    }

    pub(super) fn describe(&self) {
        self.with(|recorder| {
            for (name, text) in COUNTERS {
                recorder.describe_counter(name.into(), Some(Unit::Count), text.into());
            }
            for (name, unit, text) in GAUGES {
                recorder.describe_gauge(name.into(), Some(unit), text.into());
            }
            let text = "How long a message took, with all that the metrics' layer wraps.";
            recorder.describe_histogram(DURATION.into(), Some(Unit::Seconds), text.into());
        });
    }

    pub(super) fn counter<const N: usize>(&self, name: &'static str, labels: [Label; N]) -> Counter {
        self.with(|recorder| recorder.register_counter(&key(name, labels), &METADATA))
    }

    pub(super) fn gauge<const N: usize>(&self, name: &'static str, labels: [Label; N]) -> Gauge {
        self.with(|recorder| recorder.register_gauge(&key(name, labels), &METADATA))
    }

    pub(super) fn histogram<const N: usize>(&self, name: &'static str, labels: [Label; N]) -> Histogram {
        self.with(|recorder| recorder.register_histogram(&key(name, labels), &METADATA))
    }
}

fn key<const N: usize>(name: &'static str, labels: [Label; N]) -> Key {
    Key::from_parts(name, labels.to_vec())
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Sink(own)" } else { "Sink(installed)" })
    }
}
