//! Joining and leaving.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::HubInner;
use crate::{
    client::{Client, ClientId},
    error::{Error, ErrorKind, Result},
    message::check_name,
};

/// A room. Readers take a snapshot, which is made anew only after somebody joined or left.
#[derive(Debug)]
pub(crate) struct Room {
    name: Arc<str>,
    state: Mutex<RoomState>,
}

#[derive(Debug, Default)]
struct RoomState {
    members: BTreeMap<ClientId, Client>,
    snapshot: Option<Arc<[Client]>>,
}

impl Room {
    fn new(name: Arc<str>) -> Self {
        Self { name, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, RoomState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn members(&self) -> Arc<[Client]> {
        let mut state = self.lock();
        if let Some(snapshot) = &state.snapshot {
            return Arc::clone(snapshot);
        }
        let snapshot: Arc<[Client]> = state.members.values().cloned().collect();
        state.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }
}

/// What a client is a member of.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    rooms: Vec<Arc<Room>>,
    user: Option<Arc<str>>,
    closed: bool,
}

impl Client {
    fn membership(&self) -> MutexGuard<'_, Membership> {
        self.inner().membership.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins a room. Joining one it is in already changes nothing.
    ///
    /// # Errors
    /// `InvalidName` (1 to 128 bytes without control characters), `Limit`, `Disconnected`.
    pub fn join(&self, room: &str) -> Result<()> {
        check_name(room)?;
        let hub = self.hub_inner();
        let mut membership = self.membership();
        if membership.closed {
            return Err(Error::new(ErrorKind::Disconnected, "the client is gone"));
        }
        if membership.rooms.iter().any(|r| *r.name == *room) {
            return Ok(());
        }
        if membership.rooms.len() >= hub.limits().rooms_per_client {
            return Err(Error::new(ErrorKind::Limit, "the client is in too many rooms"));
        }
        let joined = hub.enter(room, self)?;
        membership.rooms.push(joined);
        Ok(())
    }

    /// Leaves a room. Leaving one it is not in changes nothing.
    pub fn leave(&self, room: &str) {
        let mut membership = self.membership();
        if membership.closed {
            return;
        }
        if let Some(at) = membership.rooms.iter().position(|r| *r.name == *room) {
            let left = membership.rooms.swap_remove(at);
            if membership.rooms.is_empty() {
                membership.rooms = Vec::new();
            }
            self.hub_inner().exit(&left, self.id());
        }
    }

    /// The rooms it is in; of a client that is gone, those it was in when it left.
    pub fn rooms(&self) -> Vec<String> {
        self.membership().rooms.iter().map(|room| room.name.as_ref().to_owned()).collect()
    }

    /// Whether it is in a room.
    pub fn is_in(&self, room: &str) -> bool {
        self.membership().rooms.iter().any(|r| *r.name == *room)
    }

    /// Says who this client is, so that [`Hub::user`](super::Hub::user) finds all clients of one user.
    pub fn set_user(&self, user: &str) {
        let mut membership = self.membership();
        if membership.closed {
            return;
        }
        let user: Arc<str> = user.into();
        if let Some(before) = membership.user.replace(Arc::clone(&user)) {
            self.hub_inner().forget_user(&before, self.id());
        }
        self.hub_inner().learn_user(user, self);
    }

    /// Who this client is, where somebody said so.
    pub fn user(&self) -> Option<Arc<str>> {
        self.membership().user.clone()
    }

    /// Leaves everything, for good.
    pub(crate) fn leave_all(&self) {
        let mut membership = self.membership();
        if std::mem::replace(&mut membership.closed, true) {
            return;
        }
        for room in &membership.rooms {
            self.hub_inner().exit(room, self.id());
        }
        if let Some(user) = membership.user.clone() {
            self.hub_inner().forget_user(&user, self.id());
        }
    }
}

impl HubInner {
    fn enter(&self, name: &str, client: &Client) -> Result<Arc<Room>> {
        let mut rooms = self.rooms_mut();
        let room = match rooms.get(name) {
            Some(room) => Arc::clone(room),
            None if rooms.len() >= self.limits().rooms => {
                return Err(Error::new(ErrorKind::Limit, "there are too many rooms"));
            }
            None => {
                let room = Arc::new(Room::new(name.into()));
                rooms.insert(Arc::clone(&room.name), Arc::clone(&room));
                room
            }
        };
        let mut state = room.lock();
        state.members.insert(client.id(), client.clone());
        state.snapshot = None;
        drop(state);
        Ok(room)
    }

    /// Takes a client out, and frees a room that nobody is in.
    fn exit(&self, room: &Arc<Room>, client: ClientId) {
        let mut rooms = self.rooms_mut();
        let mut state = room.lock();
        state.members.remove(&client);
        state.snapshot = None;
        let empty = state.members.is_empty();
        drop(state);
        if empty {
            rooms.remove(&room.name);
        }
    }
}
