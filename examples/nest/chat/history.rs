//! What was said in each room, newest first, in bounds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::messages::Message;

/// How many messages of a room are kept, and shown to who joins.
const RECENT: usize = 50;

/// How many rooms have a history.
const ROOMS: usize = 1000;

/// The history of all rooms. Clones share it.
#[derive(Clone, Default)]
pub(super) struct History(Arc<Mutex<HashMap<String, VecDeque<Message>>>>);

impl History {
    /// Keeps a message; `false` where there are too many rooms.
    pub(super) fn push(&self, room: &str, message: Message) -> bool {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= ROOMS && !rooms.contains_key(room) {
            return false;
        }
        let kept = rooms.entry(room.to_owned()).or_default();
        kept.push_front(message);
        kept.truncate(RECENT);
        true
    }

    /// The latest messages of a room, newest first.
    pub(super) fn recent(&self, room: &str) -> Vec<Message> {
        let rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(room).map(|kept| kept.iter().cloned().collect()).unwrap_or_default()
    }
}
