//! The rooms: what REST and the gateway do with them, one thing after another.

use std::sync::{Arc, OnceLock};

use narthex::{Client, Denied, DeniedKind, Hub, Target};
use tokio::sync::Mutex;

use crate::messages::{Message, Participant, Said};
use crate::participants::Participants;
use crate::store::{Store, StoreError};

/// All rooms; clones share them.
#[derive(Clone)]
pub(crate) struct Rooms(Arc<Inner>);

struct Inner {
    store: Box<dyn Store>,
    /// Held while something happens in a room, so that everybody reads of it in the order in which it happened.
    participants: Mutex<Participants>,
    hub: OnceLock<Hub>,
    everybody: bool,
}

/// Why nothing came of what a client wanted of a room.
pub(crate) enum Refused {
    /// There is no such room.
    Unknown,
    /// The client may be told so.
    Denied(Denied),
}

impl<E: Into<Denied>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Denied(error.into())
    }
}

impl Rooms {
    pub(crate) fn new(store: impl Store, everybody: bool) -> Self {
        let participants = Mutex::default();
        Self(Arc::new(Inner { store: Box::new(store), participants, hub: OnceLock::new(), everybody }))
    }

    /// The gateway's hub, known once the server starts.
    pub(crate) fn set_hub(&self, hub: Hub) {
        self.0.hub.get_or_init(|| hub);
    }

    /// Opens a room; false where there is one of this name.
    pub(crate) async fn open(&self, room: &str, creator: &str) -> Result<bool, StoreError> {
        self.0.store.open(room, creator).await
    }

    /// Messages of a room; nothing where there is no such room.
    pub(crate) async fn messages(
        &self,
        room: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Message>>, StoreError> {
        self.0.store.messages(room, from, to).await
    }

    /// Closes a room with its messages; false where there is none of this name. Nobody is told.
    pub(crate) async fn close(&self, room: &str) -> Result<bool, StoreError> {
        let mut participants = self.0.participants.lock().await;
        let known = self.0.store.close(room).await?;
        participants.close(room);
        if let Some(hub) = self.0.hub.get() {
            hub.to(room).leave(room);
        }
        Ok(known)
    }

    /// Takes a client into a room, and tells of all who are there.
    pub(crate) async fn enter(
        &self,
        client: &Client,
        room: &str,
        participant: Participant,
    ) -> Result<(), Refused> {
        let mut participants = self.0.participants.lock().await;
        if !self.0.store.has(room).await? {
            return Err(Refused::Unknown);
        }
        client.join(room)?;
        if !participants.enter(room, client.id(), participant) {
            client.leave(room);
            return Err(Denied::new(DeniedKind::Overloaded, "The room is full").into());
        }
        self.tell(&client.hub(), room, &participants)?;
        Ok(())
    }

    /// Keeps what a client says in a room, and tells of it.
    pub(crate) async fn say(&self, client: &Client, room: &str, said: Said) -> Result<(), Refused> {
        let participants = self.0.participants.lock().await;
        if !self.0.store.has(room).await? {
            return Err(Refused::Unknown);
        }
        if !self.0.everybody && !participants.is_in(room, client.id()) {
            return Err(Denied::forbidden("The access is forbidden").into());
        }
        let order = match self.0.store.append(room, &said).await {
            Ok(order) => order.ok_or(Refused::Unknown)?,
            Err(StoreError::Full) => {
                return Err(Denied::new(DeniedKind::Overloaded, "The room is full").into());
            }
            Err(error) => return Err(error.into()),
        };
        self.audience(&client.hub(), room).emit(room, &Message { order, said })?;
        Ok(())
    }

    /// Tells the rooms of a client that it is gone.
    pub(crate) async fn leave(&self, client: &Client) -> Result<(), Denied> {
        let mut participants = self.0.participants.lock().await;
        for room in participants.leave(client.id()) {
            self.tell(&client.hub(), &room, &participants)?;
        }
        Ok(())
    }

    fn tell(&self, hub: &Hub, room: &str, participants: &Participants) -> narthex::Result<usize> {
        self.audience(hub, room).emit(&format!("participants/{room}"), &participants.list(room))
    }

    fn audience(&self, hub: &Hub, room: &str) -> Target {
        if self.0.everybody { hub.all() } else { hub.to(room) }
    }
}
