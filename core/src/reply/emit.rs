//! An event as a result.

use serde::Serialize;

use crate::{error::Result, message::Payload};

/// An event that a handler returns: sent to the client whose message it answers.
#[derive(Debug)]
pub struct Emit {
    pub(crate) event: String,
    pub(crate) payload: Result<Payload>,
}

impl Emit {
    /// An event with data. Data that cannot be written as JSON makes the reply an internal failure.
    pub fn new<T: Serialize + ?Sized>(event: impl Into<String>, data: &T) -> Self {
        Self { event: event.into(), payload: Payload::json(data) }
    }

    /// An event without data.
    pub fn bare(event: impl Into<String>) -> Self {
        Self { event: event.into(), payload: Ok(Payload::Empty) }
    }

    /// An event with a payload as it is.
    pub fn payload(event: impl Into<String>, payload: Payload) -> Self {
        Self { event: event.into(), payload: Ok(payload) }
    }

    /// The event's name.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Its data; `None` where they could not be written as JSON.
    pub fn data(&self) -> Option<&Payload> {
        self.payload.as_ref().ok()
    }

    /// The same data under another name.
    #[must_use]
    pub fn with_event(mut self, event: impl Into<String>) -> Self {
        self.event = event.into();
        self
    }
}
