//! Messages in.

use std::sync::{Arc, PoisonError, RwLock};

use ::metrics::{Counter, Histogram, Label};
use narthex_core::{Event, Reply};
use tokio::time::Instant;

use super::{
    layer::Shared,
    names::{DURATION, RECEIVED, Sink},
};
use crate::outcome::{self, Progress};

/// The metrics of one registered event.
#[derive(Debug)]
pub(super) struct Received {
    sink: Sink,
    event: Label,
    ok: Counter,
    /// By the name of the outcome; a dozen at most.
    failed: RwLock<Vec<(&'static str, Counter)>>,
    duration: Histogram,
}

impl Received {
    fn new(sink: &Sink, event: &str) -> Self {
        let event = Label::new("event", event.to_owned());
        Self {
            sink: sink.clone(),
            ok: counter(sink, &event, "ok"),
            failed: RwLock::default(),
            duration: sink.histogram(DURATION, [event.clone()]),
            event,
        }
    }

    fn failed(&self, outcome: &'static str) -> Counter {
        let known = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(name, _)| *name == outcome) {
            return counter.clone();
        }
        drop(known);
        let counter = counter(&self.sink, &self.event, outcome);
        let mut known = self.failed.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|(name, _)| *name == outcome) {
            known.push((outcome, counter.clone()));
        }
        counter
    }
}

fn counter(sink: &Sink, event: &Label, outcome: &'static str) -> Counter {
    sink.counter(RECEIVED, [event.clone(), Label::from_static_parts("outcome", outcome)])
}

impl Shared {
    /// The metrics of an event.
    pub(super) fn received(&self, event: &Event) -> Option<Arc<Received>> {
        let name = event.pattern().unwrap_or_else(|| outcome::otherwise(event));
        self.received.get(name, || Received::new(&self.sink, name))
    }
}

/// One message on its way.
pub(super) struct Call {
    /// There always is: the names are those of the registrations, and have no limit.
    received: Option<Arc<Received>>,
    began: Instant,
    pub(super) progress: Progress,
}

impl Call {
    pub(super) fn begin(received: Option<Arc<Received>>) -> Self {
        Self { received, began: Instant::now(), progress: Progress::default() }
    }

    pub(super) fn finish(&mut self, reply: &Reply) {
        self.progress.end();
        self.count(reply.failed_with().map(|kind| kind.name()));
    }

    fn count(&self, failed: Option<&'static str>) {
        let Some(received) = &self.received else { return };
        match failed {
            None => received.ok.increment(1),
            Some(outcome) => received.failed(outcome).increment(1),
        }
        received.duration.record(self.began.elapsed().as_secs_f64());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(outcome) = self.progress.abandoned() {
            self.count(Some(outcome));
        }
    }
}
