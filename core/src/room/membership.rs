//! Joining and leaving.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::HubInner;
use crate::{
    client::{Client, ClientId, DirectSink},
    error::{Error, ErrorKind, Result},
    message::check_name,
};

/// A room, or all clients of a namespace. Readers take a snapshot, which is made anew only after somebody came or left.
///
/// Members that their door reaches as a group are joined to the door's group and marked here under one lock, which a
/// broadcast holds too: each of them is reached once, either way.
#[derive(Debug)]
pub(crate) struct Room {
    /// `None`: the whole namespace.
    name: Option<Arc<str>>,
    state: RwLock<RoomState>,
}

#[derive(Debug, Default)]
struct RoomState {
    members: BTreeMap<ClientId, Client>,
    /// Those that their door reaches as a group.
    grouped: BTreeSet<ClientId>,
    snapshot: Option<Arc<Members>>,
}

/// Who was in a room.
#[derive(Debug)]
pub(crate) struct Members {
    clients: Box<[Client]>,
    /// For each client whether its door reaches it as a group; empty where that is so for none.
    grouped: Box<[bool]>,
}

impl Members {
    pub(crate) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Each with whether its door reaches it as a group.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Client, bool)> {
        self.clients.iter().enumerate().map(|(at, client)| (client, self.grouped.get(at) == Some(&true)))
    }
}

impl RoomState {
    fn snapshot(&mut self) -> Arc<Members> {
        let members = &self.members;
        let grouped = match self.grouped.is_empty() {
            true => Box::default(),
            false => members.keys().map(|id| self.grouped.contains(id)).collect(),
        };
        let make = || Arc::new(Members { clients: members.values().cloned().collect(), grouped });
        Arc::clone(self.snapshot.get_or_insert_with(make))
    }
}

impl Room {
    pub(crate) fn new(name: Option<Arc<str>>) -> Self {
        Self { name, state: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, RoomState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, RoomState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name; `None` for the whole namespace.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn has_name(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    pub(crate) fn members(&self) -> Arc<Members> {
        if let Some(snapshot) = &self.read().snapshot {
            return Arc::clone(snapshot);
        }
        self.write().snapshot()
    }

    /// Lets `act` see the members. Nobody comes or leaves meanwhile, where a door reaches some of them as a group.
    pub(crate) fn hold<R>(&self, act: impl FnOnce(&Members) -> R) -> R {
        let state = self.read();
        let (state, snapshot) = match state.snapshot.clone() {
            Some(snapshot) => (state, snapshot),
            None => {
                drop(state);
                let mut state = self.write();
                let snapshot = state.snapshot();
                (RwLockWriteGuard::downgrade(state), snapshot)
            }
        };
        if snapshot.grouped.is_empty() {
            drop(state);
            return act(&snapshot);
        }
        act(&snapshot)
    }

    pub(crate) fn get(&self, client: ClientId) -> Option<Client> {
        self.read().members.get(&client).cloned()
    }

    pub(crate) fn insert(&self, client: &Client) {
        let mut state = self.write();
        state.members.insert(client.id(), client.clone());
        if let Some(direct) = client.inner().outbox.direct() {
            direct.join(self.name.as_deref());
            state.grouped.insert(client.id());
        }
        state.snapshot = None;
    }

    /// Takes a client out, and says whether nobody is left.
    pub(crate) fn remove(&self, client: &Client) -> bool {
        let mut state = self.write();
        state.members.remove(&client.id());
        if state.grouped.remove(&client.id())
            && let Some(direct) = client.inner().outbox.direct()
        {
            direct.leave(self.name.as_deref());
        }
        state.snapshot = None;
        state.members.is_empty()
    }

    /// From now on the door reaches this member as a group.
    pub(crate) fn group(&self, client: &Client, direct: &dyn DirectSink) {
        let mut state = self.write();
        if state.members.contains_key(&client.id()) && state.grouped.insert(client.id()) {
            direct.join(self.name.as_deref());
            state.snapshot = None;
        }
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
    /// `InvalidName` (1 to 128 bytes without control characters), `Limit`, `Disconnected`, and `Guarded` for a room that
    /// a guard of the gateway watches: let the client ask with [`ask_to_join`](Self::ask_to_join), or decide for it with
    /// [`join_unguarded`](Self::join_unguarded).
    pub fn join(&self, room: &str) -> Result<()> {
        if self.hub_inner().doorkeeper().is_some_and(|keeper| keeper.guards(room)) {
            let why = "the room is guarded: use ask_to_join, or join_unguarded where the server decides";
            return Err(Error::new(ErrorKind::Guarded, why));
        }
        self.join_unguarded(room)
    }

    /// Joins a room without asking its guards: for rooms that the server's own code chooses.
    ///
    /// # Errors
    /// Those of [`join`](Self::join) but `Guarded`.
    pub fn join_unguarded(&self, room: &str) -> Result<()> {
        check_name(room)?;
        let hub = self.hub_inner();
        let mut membership = self.membership();
        if membership.closed {
            return Err(Error::new(ErrorKind::Disconnected, "the client is gone"));
        }
        if membership.rooms.iter().any(|r| r.has_name(room)) {
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
        if let Some(at) = membership.rooms.iter().position(|r| r.has_name(room)) {
            let left = membership.rooms.swap_remove(at);
            if membership.rooms.is_empty() {
                membership.rooms = Vec::new();
            }
            self.hub_inner().exit(&left, self);
        }
    }

    /// The rooms it is in; of a client that is gone, those it was in when it left.
    pub fn rooms(&self) -> Vec<String> {
        self.membership().rooms.iter().filter_map(|room| room.name().map(str::to_owned)).collect()
    }

    /// Whether it is in a room.
    pub fn is_in(&self, room: &str) -> bool {
        self.membership().rooms.iter().any(|r| r.has_name(room))
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

    /// Sends everything to a sink of its door from now on, and is reached there as one of a group.
    pub(crate) fn attach(&self, direct: Arc<dyn DirectSink>) {
        // Nobody joins or leaves a room in the name of this client meanwhile.
        let membership = self.membership();
        self.inner().outbox.attach(Arc::clone(&direct));
        if membership.closed {
            return;
        }
        for room in &membership.rooms {
            room.group(self, &*direct);
        }
        self.hub_inner().everyone().group(self, &*direct);
    }

    /// Leaves everything, for good.
    pub(crate) fn leave_all(&self) {
        let mut membership = self.membership();
        if std::mem::replace(&mut membership.closed, true) {
            return;
        }
        for room in &membership.rooms {
            self.hub_inner().exit(room, self);
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
                let name: Arc<str> = name.into();
                let room = Arc::new(Room::new(Some(Arc::clone(&name))));
                rooms.insert(name, Arc::clone(&room));
                room
            }
        };
        room.insert(client);
        Ok(room)
    }

    /// Takes a client out, and frees a room that nobody is in.
    fn exit(&self, room: &Arc<Room>, client: &Client) {
        let mut rooms = self.rooms_mut();
        if room.remove(client)
            && let Some(name) = &room.name
        {
            rooms.remove(name);
        }
    }
}
