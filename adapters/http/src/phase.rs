//! What a connection is waiting for, shared by its I/O and its service.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// One phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Accepted, and no byte has come.
    New,
    /// A head has begun to come.
    Head,
    /// A request is being answered.
    Busy,
    /// Answered; the next request has not begun.
    Idle,
}

const KIND: u32 = 0b11;

/// The phase of one connection.
///
/// It is one word of a kind and a count of transitions, so that a deadline can tell this phase from an earlier one of
/// the same kind. hyper tells neither its I/O nor its service where it is; the deadlines need to know.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    word: AtomicU32,
    unread: AtomicBool,
    switched: AtomicBool,
}

impl Phase {
    pub(crate) fn word(&self) -> u32 {
        self.word.load(Ordering::Relaxed)
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.word() & KIND {
            0 => Kind::New,
            1 => Kind::Head,
            2 => Kind::Busy,
            _ => Kind::Idle,
        }
    }

    pub(crate) fn enter(&self, kind: Kind) {
        // Only the connection's own task changes the phase.
        let count = (self.word() & !KIND).wrapping_add(KIND + 1);
        self.word.store(count | kind as u32, Ordering::Relaxed);
    }

    /// Notes that a request's body was dropped before its end: bytes of it may still arrive.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Notes that a request was answered with 101.
    pub(crate) fn switch(&self) {
        self.switched.store(true, Ordering::Relaxed);
    }

    /// Whether the connection is HTTP's no more. hyper hands a connection over at its end even when the upgrade was
    /// refused.
    pub(crate) fn has_switched(&self) -> bool {
        self.switched.load(Ordering::Relaxed)
    }

    /// Whether closing now would cut off input, and thereby the last response.
    pub(crate) fn has_unread_input(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || self.kind() == Kind::Head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_differs_from_an_earlier_one_of_its_kind() {
        let phase = Phase::default();
        assert_eq!(phase.kind(), Kind::New);
        phase.enter(Kind::Idle);
        let first = phase.word();
        phase.enter(Kind::Busy);
        assert_eq!(phase.kind(), Kind::Busy);
        phase.enter(Kind::Idle);
        assert_eq!(phase.kind(), Kind::Idle);
        assert_ne!(phase.word(), first);
    }
}
