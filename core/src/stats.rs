//! Counters of what the bounds did.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The live counters of a server.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) clients: AtomicUsize,
    pub(crate) refused: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) overflowed: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) bad_frames: AtomicU64,
    pub(crate) values_dropped: AtomicU64,
    pub(crate) panics: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            clients: self.clients.load(Ordering::Relaxed),
            refused: read(&self.refused),
            dropped: read(&self.dropped),
            overflowed: read(&self.overflowed),
            overloaded: read(&self.overloaded),
            bad_frames: read(&self.bad_frames),
            values_dropped: read(&self.values_dropped),
            panics: read(&self.panics),
        }
    }
}

/// What a server counted since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Clients that are open now, and those whose handshake is being judged.
    pub clients: usize,
    /// Handshakes refused.
    pub refused: u64,
    /// Messages dropped by an outbox policy.
    pub dropped: u64,
    /// Clients disconnected because their outbox was full.
    pub overflowed: u64,
    /// Messages answered `Overloaded`.
    pub overloaded: u64,
    /// Frames that could not be read.
    pub bad_frames: u64,
    /// Bare values of a stream after the first, which have nowhere to go.
    pub values_dropped: u64,
    /// Panics caught in handlers, guards, hooks, filters and streams.
    pub panics: u64,
}
