//! What logs and metrics call a message and what became of it.

use narthex_core::{DeniedKind, Event, Registration};

/// An event that nobody has registered.
const UNKNOWN: &str = "_unknown";

/// A frame that cannot be read.
const UNREADABLE: &str = "_unreadable";

/// What an event without a pattern is called.
pub(crate) fn otherwise(event: &Event) -> &'static str {
    if event.unreadable().is_some() { UNREADABLE } else { UNKNOWN }
}

/// What an event is called: as it was registered, and never as a peer wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    registration: Registration,
    otherwise: &'static str,
}

impl Label {
    pub(crate) fn of(event: &Event) -> Self {
        Self { registration: event.registration(), otherwise: otherwise(event) }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.registration.pattern().unwrap_or(self.otherwise)
    }
}

/// What became of a message.
pub(crate) fn outcome(failed: Option<DeniedKind>) -> &'static str {
    failed.map_or("ok", DeniedKind::name)
}

/// How far a call is, to tell one that was cut off from one that panicked.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    is_running: bool,
    is_done: bool,
}

impl Progress {
    /// The call is about to be polled.
    pub(crate) fn enter(&mut self) {
        self.is_running = true;
    }

    /// It was polled, and did not panic.
    pub(crate) fn leave(&mut self) {
        self.is_running = false;
    }

    pub(crate) fn end(&mut self) {
        self.is_done = true;
    }

    /// What became of a call that is dropped now; `None` where it has ended. The core answers a panic as an internal failure.
    pub(crate) fn abandoned(&self) -> Option<&'static str> {
        let panicked = self.is_running || std::thread::panicking();
        let outcome = if panicked { DeniedKind::Internal.name() } else { "cancelled" };
        (!self.is_done).then_some(outcome)
    }
}
