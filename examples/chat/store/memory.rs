//! The store that forgets everything when the program ends.

use std::collections::{HashMap, VecDeque};

use super::{HISTORY, MAX_ROOMS, Store, StoreError};
use crate::messages::ChatMessage;

/// Messages in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    rooms: HashMap<String, VecDeque<ChatMessage>>,
}

impl MemoryStore {
    fn keep(&mut self, message: &ChatMessage) -> bool {
        let room = message.room_key();
        if !self.rooms.contains_key(room) && self.rooms.len() >= MAX_ROOMS {
            return false;
        }
        let messages = self.rooms.entry(room.to_owned()).or_default();
        if messages.len() == HISTORY {
            messages.pop_front();
        }
        messages.push_back(message.clone());
        true
    }
}

impl Store for MemoryStore {
    fn append(&mut self, messages: &[ChatMessage]) -> Result<Vec<bool>, StoreError> {
        Ok(messages.iter().map(|message| self.keep(message)).collect())
    }

    fn recent(&self, room: &str, limit: usize) -> Result<Vec<ChatMessage>, StoreError> {
        Ok(self.rooms.get(room).map(|m| m.iter().rev().take(limit).cloned().collect()).unwrap_or_default())
    }
}
