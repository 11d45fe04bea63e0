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

#[cfg(test)]
mod tests {
    use super::super::messages::Sender;
    use super::*;

    fn said(content: usize) -> Message {
        Message::new(None, Sender::default(), content.to_string())
    }

    #[test]
    fn a_room_keeps_its_latest_messages_newest_first() {
        let history = History::default();
        for content in 0..RECENT + 2 {
            assert!(history.push("hall", said(content)));
        }
        let kept: Vec<_> = history.recent("hall").into_iter().map(|message| message.content).collect();
        let expected: Vec<_> = (2..RECENT + 2).rev().map(|content| content.to_string()).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_room_too_many_has_no_history_and_the_others_go_on() {
        let history = History::default();
        for room in 0..ROOMS {
            assert!(history.push(&room.to_string(), said(1)));
        }
        assert!(!history.push("one more", said(1)));
        assert!(history.recent("one more").is_empty());
        assert!(history.push("0", said(2)));
    }
}
