//! The hub: all rooms and clients of one namespace.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde::Serialize;

use super::{Common, Doorkeeper, Target, membership::Room};
use crate::{
    client::{Client, ClientId, CloseReason, Expiries},
    error::Result,
    limits::Limits,
    observer::Observer,
    stats::Counters,
};

/// All rooms and clients of one namespace on this node. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<HubInner>);

pub(crate) struct HubInner {
    path: Arc<str>,
    common: Common,
    doorkeeper: Option<Arc<dyn Doorkeeper>>,
    everyone: Room,
    rooms: RwLock<HashMap<Arc<str>, Arc<Room>>>,
    users: RwLock<HashMap<Arc<str>, BTreeMap<ClientId, Client>>>,
}

impl HubInner {
    pub(crate) fn new(path: Arc<str>, common: Common, doorkeeper: Option<Arc<dyn Doorkeeper>>) -> Self {
        Self {
            path,
            common,
            doorkeeper,
            everyone: Room::new(None),
            rooms: RwLock::default(),
            users: RwLock::default(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.common.limits
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.common.counters
    }

    /// Who says which rooms are guarded.
    pub(crate) fn doorkeeper(&self) -> Option<&Arc<dyn Doorkeeper>> {
        self.doorkeeper.as_ref()
    }

    pub(crate) fn expiries(&self) -> &Arc<Expiries> {
        &self.common.expiries
    }

    /// Lets every observer see something.
    pub(crate) fn observe(&self, see: impl Fn(&dyn Observer)) {
        self.common.observers.each(&self.common.counters, see);
    }

    /// Knows a client from now on; it counts as connected when its `on_connect` is done.
    pub(crate) fn arrive(&self, client: &Client) {
        self.everyone.insert(client);
    }

    /// Forgets a client. Its rooms are left before.
    pub(crate) fn depart(&self, client: &Client) {
        client.leave_all();
        self.expiries().forget(client.id());
        self.everyone.remove(client);
    }

    pub(crate) fn rooms_mut(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Arc<Room>>> {
        write(&self.rooms)
    }

    pub(crate) fn room(&self, name: &str) -> Option<Arc<Room>> {
        read(&self.rooms).get(name).cloned()
    }

    /// All clients, also those that are not connected yet.
    pub(crate) fn everyone(&self) -> &Room {
        &self.everyone
    }

    pub(crate) fn clients(&self) -> Vec<Client> {
        let everyone = self.everyone.members();
        everyone.clients().iter().filter(|client| client.inner().is_connected()).cloned().collect()
    }

    pub(crate) fn learn_user(&self, user: Arc<str>, client: &Client) {
        write(&self.users).entry(user).or_default().insert(client.id(), client.clone());
    }

    pub(crate) fn forget_user(&self, user: &Arc<str>, client: ClientId) {
        let mut users = write(&self.users);
        if let Some(clients) = users.get_mut(user) {
            clients.remove(&client);
            if clients.is_empty() {
                users.remove(user);
            }
        }
    }
}

// No code of a user runs under these locks, so a poisoned map is still whole.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// The concrete path of the namespace.
    pub fn namespace(&self) -> &str {
        &self.0.path
    }

    /// The clients in a room. Call [`Target::to`] again for more rooms: a client in two of them receives once.
    pub fn to(&self, room: &str) -> Target {
        Target::room(Arc::clone(&self.0), room)
    }

    /// All clients of the namespace.
    pub fn all(&self) -> Target {
        Target::all(Arc::clone(&self.0))
    }

    /// All clients of one user.
    pub fn user(&self, user: &str) -> Target {
        let clients =
            read(&self.0.users).get(user).map(|c| c.values().cloned().collect()).unwrap_or_default();
        Target::clients_of(Arc::clone(&self.0), clients)
    }

    /// All clients but one.
    pub fn except(&self, client: ClientId) -> Target {
        self.all().except(client)
    }

    /// Sends an event to all clients of the namespace, and returns to how many.
    ///
    /// # Errors
    /// `Encode` when `data` cannot be written as JSON.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Result<usize> {
        self.all().emit(event, data)
    }

    /// The client with this id.
    pub fn get(&self, client: ClientId) -> Option<Client> {
        self.0.everyone.get(client).filter(|client| client.inner().is_connected())
    }

    /// All clients, in the order in which they connected.
    pub fn clients(&self) -> Vec<Client> {
        self.0.clients()
    }

    /// How many clients are connected.
    pub fn len(&self) -> usize {
        self.0.everyone.members().clients().iter().filter(|client| client.inner().is_connected()).count()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of all rooms that somebody is in, in no order.
    pub fn rooms(&self) -> Vec<String> {
        read(&self.0.rooms).keys().map(|name| name.as_ref().to_owned()).collect()
    }

    /// Also those that are not connected yet.
    fn known(&self) -> Vec<Client> {
        self.0.everyone.members().clients().to_vec()
    }

    /// Lets every client's task look around.
    pub(crate) fn wake_all(&self) {
        for client in self.known() {
            client.inner().outbox.wake();
        }
    }

    /// How many messages and bytes wait in the outboxes of all clients.
    pub(crate) fn outbox_depth(&self) -> (usize, usize) {
        let members = self.0.everyone.members();
        let depths = members.clients().iter().map(Client::outbox_depth);
        depths.fold((0, 0), |(messages, bytes), depth| (messages + depth.0, bytes + depth.1))
    }

    pub(crate) fn close_all(&self, reason: &CloseReason) {
        for client in self.known() {
            client.inner().outbox.close(reason.clone());
        }
    }
}

impl From<Arc<HubInner>> for Hub {
    fn from(inner: Arc<HubInner>) -> Self {
        Self(inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("namespace", &self.0.path)
            .field("clients", &self.len())
            .finish_non_exhaustive()
    }
}
