//! The store in one file, or in memory, with redb.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::{Answer, MAX_MESSAGES, MAX_ROOMS, PAGE, Store, StoreError};
use crate::messages::{Message, Said};

/// Room to the number of its last message, who opened it, and when (seconds since 1970).
const ROOMS: TableDefinition<'_, &str, (u64, &str, u64)> = TableDefinition::new("rooms");

/// Room and number to what was said, as JSON.
const MESSAGES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("messages");

/// Rooms in a database of redb. Its calls block, so each is made on a thread for such.
#[derive(Debug)]
pub(crate) struct RedbStore(Arc<Database>);

impl RedbStore {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::prepare(Database::create(path).map_err(redb::Error::from)?)
    }

    /// A database that is forgotten when the program ends.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new());
        Self::prepare(database.map_err(redb::Error::from)?)
    }

    fn prepare(database: Database) -> Result<Self, StoreError> {
        let prepare = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            transaction.open_table(ROOMS)?;
            transaction.open_table(MESSAGES)?;
            Ok(transaction.commit()?)
        };
        prepare()?;
        Ok(Self(Arc::new(database)))
    }

    fn run<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        let database = Arc::clone(&self.0);
        let worked = tokio::task::spawn_blocking(move || work(&database));
        Box::pin(async move { worked.await.map_err(|_| StoreError::Closed)? })
    }
}

impl Store for RedbStore {
    fn open<'a>(&'a self, room: &'a str, creator: &'a str) -> Answer<'a, bool> {
        let (room, creator) = (room.to_owned(), creator.to_owned());
        self.run(move |database| match open(database, &room, &creator)? {
            Opened::Full => Err(StoreError::Full),
            opened => Ok(opened == Opened::New),
        })
    }

    fn has<'a>(&'a self, room: &'a str) -> Answer<'a, bool> {
        let room = room.to_owned();
        self.run(move |database| Ok(has(database, &room)?))
    }

    fn append<'a>(&'a self, room: &'a str, said: &'a Said) -> Answer<'a, Option<u64>> {
        let (room, json) = (room.to_owned(), serde_json::to_vec(said));
        self.run(move |database| match append(database, &room, &json?)? {
            Some(order) if order > MAX_MESSAGES => Err(StoreError::Full),
            order => Ok(order),
        })
    }

    fn messages<'a>(&'a self, room: &'a str, from: u64, to: u64) -> Answer<'a, Option<Vec<Message>>> {
        let room = room.to_owned();
        self.run(move |database| {
            let Some(rows) = rows(database, &room, from, to)? else { return Ok(None) };
            let message =
                |(order, json): (u64, Vec<u8>)| Ok(Message { order, said: serde_json::from_slice(&json)? });
            rows.into_iter().map(message).collect::<Result<_, StoreError>>().map(Some)
        })
    }

    fn close<'a>(&'a self, room: &'a str) -> Answer<'a, bool> {
        let room = room.to_owned();
        self.run(move |database| Ok(close(database, &room)?))
    }
}

#[derive(PartialEq, Eq)]
enum Opened {
    New,
    Known,
    Full,
}

fn open(database: &Database, room: &str, creator: &str) -> Result<Opened, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut rooms = transaction.open_table(ROOMS)?;
        if rooms.get(room)?.is_some() {
            return Ok(Opened::Known);
        }
        if rooms.len()? >= MAX_ROOMS {
            return Ok(Opened::Full);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        rooms.insert(room, (0, creator, now))?;
    }
    transaction.commit()?;
    Ok(Opened::New)
}

fn has(database: &Database, room: &str) -> Result<bool, redb::Error> {
    Ok(database.begin_read()?.open_table(ROOMS)?.get(room)?.is_some())
}

/// The number that the message has, or would have where there is no place for it.
fn append(database: &Database, room: &str, json: &[u8]) -> Result<Option<u64>, redb::Error> {
    let transaction = database.begin_write()?;
    let order = {
        let mut rooms = transaction.open_table(ROOMS)?;
        let Some((last, creator, opened)) = rooms.get(room)?.map(|row| {
            let (last, creator, opened) = row.value();
            (last, creator.to_owned(), opened)
        }) else {
            return Ok(None);
        };
        let order = last + 1;
        if order > MAX_MESSAGES {
            return Ok(Some(order));
        }
        rooms.insert(room, (order, creator.as_str(), opened))?;
        transaction.open_table(MESSAGES)?.insert((room, order), json)?;
        order
    };
    transaction.commit()?;
    Ok(Some(order))
}

type Rows = Vec<(u64, Vec<u8>)>;

fn rows(database: &Database, room: &str, from: u64, to: u64) -> Result<Option<Rows>, redb::Error> {
    let transaction = database.begin_read()?;
    if transaction.open_table(ROOMS)?.get(room)?.is_none() {
        return Ok(None);
    }
    let messages = transaction.open_table(MESSAGES)?;
    let rows = messages.range((room, from)..=(room, to))?.take(PAGE).map(|row| {
        let (key, json) = row?;
        Ok((key.value().1, json.value().to_vec()))
    });
    rows.collect::<Result<_, redb::Error>>().map(Some)
}

fn close(database: &Database, room: &str) -> Result<bool, redb::Error> {
    let transaction = database.begin_write()?;
    let known = transaction.open_table(ROOMS)?.remove(room)?.is_some();
    transaction.open_table(MESSAGES)?.retain_in((room, 0)..=(room, u64::MAX), |_, _| false)?;
    transaction.commit()?;
    Ok(known)
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
