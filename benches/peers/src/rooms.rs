//! Rooms as the simplest application has them: a queue for each member, in a map behind a lock.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Queues<M> = HashMap<u64, UnboundedSender<M>>;

/// Everybody's queue, by the path they came by.
#[derive(Debug)]
pub(crate) struct Rooms<M> {
    queues: Arc<Mutex<HashMap<String, Queues<M>>>>,
    next: Arc<AtomicU64>,
}

// Not derived, which would ask for messages that are `Clone` and `Default`.
impl<M> Clone for Rooms<M> {
    fn clone(&self) -> Self {
        Self { queues: Arc::clone(&self.queues), next: Arc::clone(&self.next) }
    }
}

impl<M> Default for Rooms<M> {
    fn default() -> Self {
        Self { queues: Arc::default(), next: Arc::default() }
    }
}

impl<M: Clone> Rooms<M> {
    /// A new member of `room`, and what is sent to it.
    pub(crate) fn enter(&self, room: &str) -> (Member<M>, UnboundedReceiver<M>) {
        let (queue, queued) = unbounded_channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.with(room, |room| drop(room.insert(id, queue)));
        (Member { rooms: self.clone(), room: room.to_owned(), id }, queued)
    }
}

impl<M> Rooms<M> {
    fn with<T>(&self, room: &str, act: impl FnOnce(&mut Queues<M>) -> T) -> T {
        let mut rooms = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        match rooms.get_mut(room) {
            Some(room) => act(room),
            None => act(rooms.entry(room.to_owned()).or_default()),
        }
    }
}

/// A place in a room; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Member<M> {
    rooms: Rooms<M>,
    room: String,
    id: u64,
}

impl<M: Clone> Member<M> {
    /// Sends to everybody in the room, itself included.
    pub(crate) fn send(&self, message: &M) {
        self.rooms.with(&self.room, |room| {
            for queue in room.values() {
                // A closed queue belongs to a member who is just leaving.
                let _ = queue.send(message.clone());
            }
        });
    }
}

impl<M> Drop for Member<M> {
    fn drop(&mut self) {
        self.rooms.with(&self.room, |room| drop(room.remove(&self.id)));
    }
}
