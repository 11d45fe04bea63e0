//! Who a client is in this chat: its name, and the rooms that are told when it goes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use narthex::{Client, Denied};

use crate::messages::{Presence, Sender};

/// What `on_connect` puts on every client. Clones share the rooms.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    id: String,
    name: String,
    /// A client that is gone is in no room any more, but its rooms are to be told: so they are kept here too.
    rooms: Arc<Mutex<BTreeSet<String>>>,
}

impl Visitor {
    /// A client that arrives.
    pub(crate) fn new(client: &Client, name: String) -> Self {
        Self { id: client.id().to_string(), name, rooms: Arc::default() }
    }

    /// Who `client` is.
    pub(crate) fn of(client: &Client) -> Result<Self, Denied> {
        client.data::<Self>().ok_or_else(|| Denied::forbidden("you have not arrived"))
    }

    /// Notes a room; false when it was noted before.
    pub(crate) fn enter(&self, room: &str) -> bool {
        self.with_rooms(|rooms| rooms.insert(room.to_owned()))
    }

    /// Forgets a room; false when it was not noted.
    pub(crate) fn exit(&self, room: &str) -> bool {
        self.with_rooms(|rooms| rooms.remove(room))
    }

    /// Forgets all rooms and returns them.
    pub(crate) fn exit_all(&self) -> BTreeSet<String> {
        self.with_rooms(std::mem::take)
    }

    /// Itself, as others see it.
    pub(crate) fn sender(&self) -> Sender {
        Sender { id: self.id.clone(), name: self.name.clone() }
    }

    /// Itself in a room, as others see it.
    pub(crate) fn presence(&self, room: &str) -> Presence {
        Presence { user_id: self.id.clone(), name: self.name.clone(), room: room.to_owned() }
    }

    fn with_rooms<T>(&self, act: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        act(&mut self.rooms.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
