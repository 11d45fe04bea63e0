//! What a member was sent and nobody has handled yet.

use std::{
    collections::VecDeque,
    sync::{TryLockError, atomic::Ordering},
};

use bytes::Bytes;
use narthex_core::{AckId, CloseReason, DecodeError, Incoming};
use socketioxide_core::Value;

use super::{Member, driver::Driver, lock};
use crate::envelope;

/// From so many messages that wait for their turn, the connection is not read.
const BACKED_UP: usize = 64;

/// The most that may wait: what one read had brought, and what comes while an answer is awaited.
const INBOX: usize = 4096;

/// With the bytes that it holds on to.
pub(super) type Decoded = (Result<Incoming, DecodeError>, usize);

impl Member {
    /// Takes an event that the engine has read.
    pub(crate) fn receive(&self, value: Value, ack: Option<i64>) {
        let id = ack.and_then(|id| AckId::try_from(id).ok());
        let decoded = match value {
            Value::Str(text, attachments) => {
                let attachments = attachments.map(Vec::from).unwrap_or_default();
                let size = text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
                let message = envelope::event(Bytes::from(text), attachments, id, &self.limits);
                (message.map(Incoming::Message), size)
            }
            Value::Bytes(_) => return,
        };
        match self.driver.try_lock() {
            Ok(mut driver) => match &mut *driver {
                // A connected client whose task has the session.
                Some(driver) if self.is_free(driver) => self.handle(driver, decoded),
                _ => self.keep(decoded),
            },
            Err(TryLockError::WouldBlock) => self.keep(decoded),
            // The core catches what users' code panics with, so this is a defect of ours.
            Err(TryLockError::Poisoned(_)) => {
                self.set_end(CloseReason::Failed("a session panicked".to_owned()))
            }
        }
        if self.waiting.swap(false, Ordering::AcqRel) {
            self.wake();
        }
    }

    fn is_free(&self, driver: &Driver) -> bool {
        driver.attached && driver.session.accepts_input() && lock(&self.inbox).is_empty()
    }

    fn keep(&self, decoded: Decoded) {
        let mut inbox = lock(&self.inbox);
        if inbox.len() >= INBOX {
            drop(inbox);
            return self.set_end(CloseReason::Overflow);
        }
        inbox.push_back(decoded);
        if inbox.len() >= BACKED_UP && !self.backed_up.swap(true, Ordering::AcqRel) {
            self.connection.set_full(true);
        }
        drop(inbox);
        self.wake();
    }

    pub(super) fn take(&self) -> Option<Decoded> {
        let mut inbox = lock(&self.inbox);
        let taken = inbox.pop_front();
        if inbox.is_empty() {
            // What a burst took is given back.
            *inbox = VecDeque::new();
            self.relieve();
        }
        taken
    }

    pub(super) fn relieve(&self) {
        if self.backed_up.swap(false, Ordering::AcqRel) {
            self.connection.set_full(false);
        }
    }
}
