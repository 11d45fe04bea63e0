//! The store in one file, with redb.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition};

use super::{HISTORY, MAX_ROOMS, Store, StoreError};
use crate::messages::ChatMessage;

/// Room and number to the message, as JSON. A room's numbers have no gaps.
const MESSAGES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("messages");

/// Room to the number of its last message.
const ROOMS: TableDefinition<'_, &str, u64> = TableDefinition::new("rooms");

/// Messages in a file.
#[derive(Debug)]
pub(crate) struct FileStore {
    database: Database,
}

impl FileStore {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::create(path).map_err(StoreError::from)
    }

    fn create(path: &Path) -> Result<Self, redb::Error> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(MESSAGES)?;
        transaction.open_table(ROOMS)?;
        transaction.commit()?;
        Ok(Self { database })
    }

    /// One transaction for all of them, because its price is the wait for the disk.
    /// Tells of each message whether its room had a place.
    fn insert(&self, messages: &[ChatMessage], json: &[Vec<u8>]) -> Result<Vec<bool>, redb::Error> {
        let transaction = self.database.begin_write()?;
        let kept = {
            let (messages_table, rooms) = (transaction.open_table(MESSAGES)?, transaction.open_table(ROOMS)?);
            let mut tables = Tables { messages: messages_table, rooms };
            let rows = messages.iter().zip(json);
            rows.map(|(message, json)| tables.keep(message.room_key(), json)).collect::<Result<_, _>>()?
        };
        transaction.commit()?;
        Ok(kept)
    }

    fn rows(&self, room: &str, limit: usize) -> Result<Vec<Vec<u8>>, redb::Error> {
        let messages = self.database.begin_read()?.open_table(MESSAGES)?;
        let newest_first = messages.range((room, 0)..=(room, u64::MAX))?.rev().take(limit);
        newest_first.map(|row| Ok(row?.1.value().to_vec())).collect()
    }
}

impl Store for FileStore {
    fn append(&mut self, messages: &[ChatMessage]) -> Result<Vec<bool>, StoreError> {
        let json: Vec<_> = messages.iter().map(serde_json::to_vec).collect::<Result<_, _>>()?;
        Ok(self.insert(messages, &json)?)
    }

    fn recent(&self, room: &str, limit: usize) -> Result<Vec<ChatMessage>, StoreError> {
        self.rows(room, limit)?.iter().map(|json| Ok(serde_json::from_slice(json)?)).collect()
    }
}

struct Tables<'a> {
    messages: Table<'a, (&'static str, u64), &'static [u8]>,
    rooms: Table<'a, &'static str, u64>,
}

impl Tables<'_> {
    fn keep(&mut self, room: &str, json: &[u8]) -> Result<bool, redb::StorageError> {
        let last = self.rooms.get(room)?.map(|number| number.value());
        if last.is_none() && self.rooms.len()? >= MAX_ROOMS as u64 {
            return Ok(false);
        }
        let number = last.map_or(0, |last| last + 1);
        self.rooms.insert(room, number)?;
        self.messages.insert((room, number), json)?;
        if let Some(forgotten) = number.checked_sub(HISTORY as u64) {
            self.messages.remove((room, forgotten))?;
        }
        Ok(true)
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        Self::File(Arc::new(error))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(Arc::new(error))
    }
}
