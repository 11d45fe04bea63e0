//! Where rooms and their messages are kept: the contract, and what every store keeps to.

mod redb;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub(crate) use self::redb::RedbStore;
use crate::messages::{Message, Said};

/// How many rooms there may be.
pub(crate) const MAX_ROOMS: u64 = 1000;

/// How many messages a room may hold.
pub(crate) const MAX_MESSAGES: u64 = 100_000;

/// How many messages one look at a room gives at the most.
pub(crate) const PAGE: usize = 1000;

/// Why a store could not do its work.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There are too many rooms, or messages in the room.
    #[error("the store is full")]
    Full,
    /// The file could not be read or written.
    #[error("the store failed")]
    File(#[source] Arc<::redb::Error>),
    /// What is stored is not a message.
    #[error("a stored message cannot be read")]
    Format(#[source] Arc<serde_json::Error>),
    /// The program ends.
    #[error("the store is closed")]
    Closed,
}

/// What a store answers with, later.
pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps rooms and their messages.
///
/// 1. A room MUST hold its messages in the order of their appending, numbered from 1 without gaps.
/// 2. There MUST be at most [`MAX_ROOMS`] rooms with at most [`MAX_MESSAGES`] messages each; what is more fails with
///    [`StoreError::Full`] and changes nothing.
/// 3. `close` MUST forget a room's messages.
pub(crate) trait Store: Send + Sync + 'static {
    /// Opens a room; false where there is one of this name.
    fn open<'a>(&'a self, room: &'a str, creator: &'a str) -> Answer<'a, bool>;

    /// Whether there is such a room.
    fn has<'a>(&'a self, room: &'a str) -> Answer<'a, bool>;

    /// Keeps a message, and gives its number; nothing where there is no such room.
    fn append<'a>(&'a self, room: &'a str, said: &'a Said) -> Answer<'a, Option<u64>>;

    /// The messages from one number to another, both of them included, and [`PAGE`] at the most; nothing where there is no such room.
    fn messages<'a>(&'a self, room: &'a str, from: u64, to: u64) -> Answer<'a, Option<Vec<Message>>>;

    /// Closes a room; false where there is none of this name.
    fn close<'a>(&'a self, room: &'a str) -> Answer<'a, bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content: &str) -> Said {
        Said { username: Some("ann".into()), content: Some(content.into()), created_at: None }
    }

    async fn contents(store: &impl Store, from: u64, to: u64) -> Vec<(u64, String)> {
        let messages = store.messages("hall", from, to).await.unwrap().unwrap();
        let content = |m: Message| (m.order, m.said.content.unwrap().as_str().unwrap().to_owned());
        messages.into_iter().map(content).collect()
    }

    async fn keeps_to_the_contract(store: impl Store) {
        assert!(!store.has("hall").await.unwrap() && !store.close("hall").await.unwrap());
        assert_eq!(store.append("hall", &said("lost")).await.unwrap(), None);
        assert!(store.messages("hall", 1, 9).await.unwrap().is_none());
        assert!(store.open("hall", "ann").await.unwrap() && !store.open("hall", "bob").await.unwrap());
        assert!(store.open("hall2", "ann").await.unwrap() && store.has("hall").await.unwrap());
        assert_eq!(store.append("hall", &said("first")).await.unwrap(), Some(1));
        assert_eq!(store.append("hall2", &said("other")).await.unwrap(), Some(1));
        assert_eq!(store.append("hall", &said("second")).await.unwrap(), Some(2));
        assert_eq!(contents(&store, 1, 20).await, [(1, "first".to_owned()), (2, "second".to_owned())]);
        assert_eq!(contents(&store, 2, 2).await, [(2, "second".to_owned())]);
        assert!(contents(&store, 5, 9).await.is_empty());
        assert!(store.close("hall").await.unwrap() && !store.has("hall").await.unwrap());
        assert!(store.open("hall", "bob").await.unwrap() && contents(&store, 1, 9).await.is_empty());
        assert_eq!(store.append("hall", &said("anew")).await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn the_store_keeps_to_the_contract_in_memory_and_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        keeps_to_the_contract(RedbStore::in_memory().unwrap()).await;
        keeps_to_the_contract(RedbStore::open(&folder.path().join("rooms.redb")).unwrap()).await;
    }

    #[tokio::test]
    async fn a_file_gives_its_rooms_back_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rooms.redb");
        let store = RedbStore::open(&path).unwrap();
        store.open("hall", "ann").await.unwrap();
        store.append("hall", &said("first")).await.unwrap();
        drop(store);
        assert_eq!(contents(&RedbStore::open(&path).unwrap(), 1, 9).await, [(1, "first".to_owned())]);
    }

    #[tokio::test]
    async fn one_room_too_many_is_refused() {
        let store = RedbStore::in_memory().unwrap();
        for number in 0..MAX_ROOMS {
            assert!(store.open(&number.to_string(), "ann").await.unwrap());
        }
        assert!(matches!(store.open("hall", "ann").await, Err(StoreError::Full)));
        assert!(store.close("0").await.unwrap() && store.open("hall", "ann").await.unwrap());
    }
}
