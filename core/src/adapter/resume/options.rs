//! The bounds of a session that outlives its carrier.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::limits::Limits;

/// The bounds of a [`Resumable`](super::Resumable). Made with [`ResumeOptions::new`] and the methods below.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | `grace` | 30 s without a carrier | the session ends with `ClientGone` |
/// | `ring` | the bounds of the outbox | with a carrier: the oldest frames that it has taken are forgotten. Without: the outbox fills, and its policy acts |
/// | `inbound` | the bounds of what is held | `receive` answers `Full` |
/// | `detached` | none | a session that loses its carrier ends at once |
/// | `stall` | none | a carrier that takes nothing of what waits for it is cut off |
/// | `farewell` | 5 s for the carrier to take what is left at the end | the session ends without it |
#[derive(Clone, Debug)]
#[must_use]
pub struct ResumeOptions {
    pub(super) grace: Duration,
    pub(super) ring_messages: usize,
    pub(super) ring_bytes: usize,
    pub(super) inbound_messages: usize,
    pub(super) inbound_bytes: usize,
    pub(super) detached: Option<Arc<Semaphore>>,
    pub(super) stall: Duration,
    pub(super) farewell: Duration,
}

impl ResumeOptions {
    /// The defaults on a server with these limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            grace: Duration::from_secs(30),
            ring_messages: limits.outbox_messages,
            ring_bytes: limits.outbox_bytes,
            inbound_messages: limits.held_messages,
            inbound_bytes: limits.held_bytes,
            detached: None,
            stall: Duration::MAX,
            farewell: Duration::from_secs(5),
        }
    }

    /// How long the session waits for another carrier. Zero: it ends with its carrier.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How many frames, and how many bytes, are kept until the peer has confirmed them.
    pub fn ring(mut self, messages: usize, bytes: usize) -> Self {
        self.ring_messages = messages;
        self.ring_bytes = bytes;
        self
    }

    /// How many frames, and how many bytes, may wait for the session before no more are taken.
    pub fn inbound(mut self, messages: usize, bytes: usize) -> Self {
        self.inbound_messages = messages;
        self.inbound_bytes = bytes;
        self
    }

    /// How many sessions may be without a carrier: each takes one permit of this semaphore, which they share.
    pub fn detached(mut self, permits: Arc<Semaphore>) -> Self {
        self.detached = Some(permits);
        self
    }

    /// How long a carrier may take nothing although frames wait for it. [`Duration::MAX`]: for ever.
    pub fn stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// How long the carrier may take, once the session has ended, to take what is left.
    pub fn farewell(mut self, farewell: Duration) -> Self {
        self.farewell = farewell;
        self
    }
}
