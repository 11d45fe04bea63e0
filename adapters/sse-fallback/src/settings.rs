//! The bounds and times of a door.

use std::time::Duration;

/// What [`Sse`](crate::Sse) was built with, as far as an answer needs it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) grace: Duration,
    pub(crate) ping_interval: Duration,
    pub(crate) max_message: usize,
    pub(crate) max_batch: usize,
    pub(crate) max_body: usize,
    pub(crate) max_detached: usize,
    pub(crate) ticket_lifetime: Duration,
    pub(crate) max_tickets: usize,
    pub(crate) post_patience: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) close_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(30),
            ping_interval: Duration::from_secs(15),
            max_message: 64 * 1024,
            max_batch: 100,
            max_body: 256 * 1024,
            max_detached: 1000,
            ticket_lifetime: Duration::from_secs(30),
            max_tickets: 1000,
            post_patience: Duration::from_secs(1),
            stall_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// The longest text of a message whose bytes are written as base64 (RFC 4648 section 4): four characters for
    /// three bytes, and the members around.
    pub(crate) fn max_encoded(&self) -> usize {
        self.max_message.saturating_add(self.max_message / 3).saturating_add(1024)
    }

    /// The largest body, which has room for the largest message.
    pub(crate) fn body_size(&self) -> usize {
        self.max_body.max(self.max_encoded())
    }
}
