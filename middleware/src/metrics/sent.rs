//! Messages out.

use ::metrics::{Counter, Label};
use narthex_core::{Sent, SentKind};

use super::{
    cache::Cache,
    names::{DELIVERED, SENT, Sink},
};

#[derive(Debug)]
struct Handles {
    sent: Counter,
    delivered: Counter,
}

impl Handles {
    fn new(sink: &Sink, event: &str) -> Self {
        let event = Label::new("event", event.to_owned());
        Self { sent: sink.counter(SENT, [event.clone()]), delivered: sink.counter(DELIVERED, [event]) }
    }
}

/// Counts what is sent, by the event's name. What is no event, or one too many, has a name with `_` before it.
#[derive(Debug)]
pub(super) struct Outgoing {
    events: Cache<Handles>,
    others: Cache<Handles>,
}

impl Outgoing {
    pub(super) fn new(most: usize) -> Self {
        Self { events: Cache::new(most), others: Cache::new(usize::MAX) }
    }

    pub(super) fn count(&self, sink: &Sink, sent: &Sent<'_>) {
        let event = sent.event.and_then(|event| self.events.get(event, || Handles::new(sink, event)));
        let handles = event.or_else(|| {
            let name = match sent.kind {
                SentKind::Ack => "_ack",
                SentKind::Error => "_error",
                _ => "_other",
            };
            self.others.get(name, || Handles::new(sink, name))
        });
        if let Some(handles) = handles {
            handles.sent.increment(1);
            handles.delivered.increment(sent.clients as u64);
        }
    }
}
