//! Who answers an ack that a handler has taken: the handle, or the session.

use std::sync::atomic::{AtomicU8, Ordering};

const PENDING: u8 = 0;
const SENT: u8 = 1;
/// The handle was dropped without an answer, before the handler's result was seen.
const ABANDONED: u8 = 2;
/// The handler returned, its handle lives on elsewhere.
const OUTLIVES: u8 = 3;

#[derive(Debug, Default)]
pub(crate) struct AckState(AtomicU8);

impl AckState {
    /// Takes the right to answer; `false` where the answer is already given.
    pub(crate) fn claim(&self) -> bool {
        self.0.swap(SENT, Ordering::AcqRel) != SENT
    }

    /// The handle goes. Returns whether it must answer with a failure now.
    pub(crate) fn abandon(&self) -> bool {
        match self.0.compare_exchange(PENDING, ABANDONED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(SENT) => false,
            Err(_) => self.claim(),
        }
    }

    /// The handler has returned. Returns whether nobody is left to answer.
    pub(crate) fn returned(&self) -> bool {
        match self.0.compare_exchange(PENDING, OUTLIVES, Ordering::AcqRel, Ordering::Acquire) {
            Err(ABANDONED) => self.claim(),
            _ => false,
        }
    }
}
