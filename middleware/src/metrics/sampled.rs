//! What the server itself counts.

use std::sync::{Mutex, PoisonError};

use narthex_core::{ServerHandle, Stats};

use super::names::{
    BAD_FRAMES, DROPPED, OUTBOX_BYTES, OUTBOX_MESSAGES, OVERFLOWED, OVERLOADED, PANICS, Sink, VALUES_DROPPED,
};

/// What was collected last: only what is new is passed on, so that several servers may share a recorder.
#[derive(Debug, Default)]
pub(super) struct Sampled(Mutex<([u64; COUNTERS.len()], [usize; 2])>);

type Read = fn(&Stats) -> u64;

const COUNTERS: [(&str, Read); 6] = [
    (DROPPED, |stats| stats.dropped),
    (OVERFLOWED, |stats| stats.overflowed),
    (OVERLOADED, |stats| stats.overloaded),
    (BAD_FRAMES, |stats| stats.bad_frames),
    (VALUES_DROPPED, |stats| stats.values_dropped),
    (PANICS, |stats| stats.panics),
];

impl Sampled {
    pub(super) fn collect(&self, sink: &Sink, server: &ServerHandle) {
        let (stats, (messages, bytes)) = (server.stats(), server.outbox_depth());
        // A recorder that panics leaves what is counted already.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((name, read), last) in COUNTERS.iter().zip(&mut last.0) {
            let now = read(&stats);
            sink.counter(name, []).increment(now.saturating_sub(*last));
            *last = now;
        }
        let gauges = [(OUTBOX_MESSAGES, messages), (OUTBOX_BYTES, bytes)];
        for ((name, now), last) in gauges.into_iter().zip(&mut last.1) {
            // Exact: what fits in memory is far below 2^53.
            sink.gauge(name, []).increment(now as f64 - *last as f64);
            *last = now;
        }
    }
}
