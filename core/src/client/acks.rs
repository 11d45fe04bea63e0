//! Requests of the server that await a client's answer.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::{
    error::{Error, ErrorKind, Result},
    message::{AckId, Payload},
};

pub(crate) type Answer = std::result::Result<Payload, Payload>;

#[derive(Debug, Default)]
pub(crate) struct PendingAcks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: AckId,
    pending: Option<HashMap<AckId, oneshot::Sender<Answer>>>,
    closed: bool,
}

impl PendingAcks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh id and the receiver of its answer.
    pub(crate) fn open(&self, limit: usize) -> Result<(AckId, oneshot::Receiver<Answer>)> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::new(ErrorKind::Disconnected, "the client is gone"));
        }
        if state.pending.as_ref().is_some_and(|p| p.len() >= limit) {
            return Err(Error::new(ErrorKind::Limit, "too many requests await this client's answer"));
        }
        state.next += 1;
        let id = state.next;
        let (sender, receiver) = oneshot::channel();
        state.pending.get_or_insert_default().insert(id, sender);
        Ok((id, receiver))
    }

    /// Hands over an answer. One that nobody awaits is ignored: it came after its timeout.
    pub(crate) fn complete(&self, id: AckId, answer: Answer) {
        if let Some(sender) = self.take(id) {
            // The asker may have given up in this moment.
            drop(sender.send(answer));
        }
    }

    /// Forgets a request.
    pub(crate) fn forget(&self, id: AckId) {
        drop(self.take(id));
    }

    fn take(&self, id: AckId) -> Option<oneshot::Sender<Answer>> {
        let mut state = self.lock();
        let pending = state.pending.as_mut()?;
        let sender = pending.remove(&id);
        if pending.is_empty() {
            state.pending = None;
        }
        sender
    }

    /// Whether an answer is awaited.
    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().pending.is_some()
    }

    /// Whether the answer to this request is awaited.
    pub(crate) fn is_pending(&self, id: AckId) -> bool {
        self.lock().pending.as_ref().is_some_and(|pending| pending.contains_key(&id))
    }

    /// Fails everything that is pending, and whatever may come.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let pending = state.pending.take();
        drop(state);
        // Wakes whoever waits, so not under the lock.
        drop(pending);
    }
}
