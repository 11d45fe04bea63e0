//! Where a room's messages are kept: the contract, and what every store keeps to.

mod file;
mod memory;

use std::sync::Arc;

pub(crate) use self::{file::FileStore, memory::MemoryStore};
use crate::messages::ChatMessage;

/// How many messages a room keeps; older ones are forgotten.
pub(crate) const HISTORY: usize = 300;

/// How many rooms have a history; a first message to one room more is refused.
pub(crate) const MAX_ROOMS: usize = 10_000;

/// Why a store could not do its work.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file could not be read or written.
    #[error("the store failed")]
    File(#[source] Arc<redb::Error>),
    /// What is stored is not a message.
    #[error("a stored message cannot be read")]
    Format(#[source] Arc<serde_json::Error>),
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

/// Keeps the messages of all rooms, in the order in which they were appended.
///
/// 1. `append` MUST keep all the messages or, when it fails, none of them; `false` in the answer stands for a
///    message whose room would be one too many.
/// 2. A room MUST hold its last [`HISTORY`] messages and no more, and there MUST be at most [`MAX_ROOMS`] rooms.
/// 3. `recent` MUST give the newest message first, at most `limit` of them.
///
/// The calls may block: they are made on the thread that owns the store.
pub(crate) trait Store: Send + 'static {
    /// Keeps some messages.
    fn append(&mut self, messages: &[ChatMessage]) -> Result<Vec<bool>, StoreError>;

    /// The last messages of a room.
    fn recent(&self, room: &str, limit: usize) -> Result<Vec<ChatMessage>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Sender;

    fn message(room: &str, content: &str) -> ChatMessage {
        let sender = Sender { id: "client".to_owned(), name: "Ada".to_owned() };
        ChatMessage::new(Some(room.to_owned()), sender, content.to_owned())
    }

    fn contents(store: &impl Store, room: &str, limit: usize) -> Vec<String> {
        store.recent(room, limit).unwrap().into_iter().map(|m| m.content).collect()
    }

    fn keep(store: &mut impl Store, room: &str, contents: impl IntoIterator<Item = String>) {
        let messages: Vec<_> = contents.into_iter().map(|c| message(room, &c)).collect();
        assert_eq!(store.append(&messages).unwrap(), vec![true; messages.len()]);
    }

    fn keeps_to_the_contract(mut store: impl Store) {
        assert!(contents(&store, "hall", 50).is_empty());
        keep(&mut store, "hall", (0..HISTORY + 5).map(|n| n.to_string()));
        keep(&mut store, "hall2", ["other".to_owned()]);
        assert_eq!(contents(&store, "hall", 3), ["304", "303", "302"]);
        assert_eq!(contents(&store, "hall2", 50), ["other"]);
        let all = contents(&store, "hall", usize::MAX);
        assert_eq!((all.len(), all.last().map(String::as_str)), (HISTORY, Some("5")));
    }

    fn refuses_one_room_too_many(mut store: impl Store) {
        let messages: Vec<_> = (0..=MAX_ROOMS).map(|n| message(&n.to_string(), "hello")).collect();
        let kept = store.append(&messages).unwrap();
        assert_eq!((kept.iter().filter(|kept| **kept).count(), kept[MAX_ROOMS]), (MAX_ROOMS, false));
        keep(&mut store, "0", ["a room that is there goes on".to_owned()]);
    }

    #[test]
    fn the_memory_store_keeps_to_the_contract() {
        keeps_to_the_contract(MemoryStore::default());
        refuses_one_room_too_many(MemoryStore::default());
    }

    #[test]
    fn the_file_store_keeps_to_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        keeps_to_the_contract(FileStore::open(&folder.path().join("a.redb")).unwrap());
        refuses_one_room_too_many(FileStore::open(&folder.path().join("b.redb")).unwrap());
    }

    #[test]
    fn a_file_gives_its_messages_back_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.redb");
        keep(&mut FileStore::open(&path).unwrap(), "hall", ["first".to_owned()]);
        let mut store = FileStore::open(&path).unwrap();
        keep(&mut store, "hall", ["second".to_owned()]);
        assert_eq!(contents(&store, "hall", 50), ["second", "first"]);
    }
}
