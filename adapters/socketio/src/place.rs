//! Namespaces as socketioxide runs them, and how all their members are reached at once.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use narthex_core::{ClientId, Frame, GroupSink};
use socketioxide::adapter::Emitter;
use socketioxide_core::{
    Sid, Str,
    adapter::{
        BroadcastFlags, BroadcastOptions, CoreAdapter, CoreLocalAdapter, DefinedAdapter, Room, SocketEmitter,
    },
    packet::Packet,
};
use tokio::{sync::Notify, time::Instant};

use crate::packet::frame_packet;

/// The stream of answers to one request of the server.
pub(crate) type Answers = <Emitter as SocketEmitter>::AckStream;

/// The room of all members; users' rooms have no control characters in their names.
const EVERYONE: Room = Room::Borrowed("\0");

fn room(name: Option<&str>) -> Room {
    name.map_or(EVERYONE, |name| Room::Owned(name.to_owned()))
}

/// One concrete namespace.
pub(crate) struct Place {
    path: Str,
    local: Arc<CoreLocalAdapter<Emitter>>,
    sids: Mutex<HashMap<ClientId, Sid>>,
    residents: AtomicUsize,
    empty_since: Mutex<Instant>,
}

impl Place {
    fn new(local: Arc<CoreLocalAdapter<Emitter>>) -> Self {
        Self {
            path: local.path().clone(),
            local,
            sids: Mutex::default(),
            residents: AtomicUsize::new(0),
            empty_since: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn path(&self) -> &Str {
        &self.path
    }

    fn sids(&self) -> MutexGuard<'_, HashMap<ClientId, Sid>> {
        self.sids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a client known, to be left out of broadcasts.
    pub(crate) fn learn(&self, client: ClientId, sid: Sid) {
        self.sids().insert(client, sid);
    }

    pub(crate) fn forget(&self, client: ClientId) {
        self.sids().remove(&client);
    }

    /// Hands a packet to the engine; `false` where it takes no more.
    pub(crate) fn send(&self, sid: Sid, packet: Packet) -> bool {
        self.local.broadcast(packet, BroadcastOptions::new(sid)).is_ok()
    }

    /// Hands over a packet that asks for an answer.
    pub(crate) fn ask(&self, sid: Sid, packet: Packet, patience: Duration) -> Answers {
        self.local.broadcast_with_ack(packet, BroadcastOptions::new(sid), Some(patience)).0
    }

    pub(crate) fn join(&self, sid: Sid, name: Option<&str>) {
        self.local.add_all(sid, room(name));
    }

    pub(crate) fn leave(&self, sid: Sid, name: Option<&str>) {
        self.local.del(sid, room(name));
    }

    /// Tells a peer that it is in the namespace no more.
    pub(crate) fn disconnect(&self, sid: Sid) {
        if self.local.disconnect_socket(BroadcastOptions::new(sid)).is_err() {
            tracing::debug!("a peer left while it was told to leave");
        }
    }
}

impl GroupSink for Place {
    fn broadcast(&self, name: Option<&str>, except: Option<ClientId>, frame: &Frame) {
        let Some(outbound) = frame_packet(&self.path, frame) else { return };
        let mut options = BroadcastOptions::default();
        options.rooms.push(room(name));
        if let Some(sid) = except.and_then(|client| self.sids().get(&client).copied()) {
            options.sid = Some(sid);
            options.add_flag(BroadcastFlags::Broadcast);
        }
        if let Err(errors) = self.local.broadcast(outbound.packet, options) {
            // Peers that have left in this moment: what members are owed is bounded below the engine's own buffer.
            tracing::debug!(count = errors.len(), "some peers left during a broadcast");
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("path", &self.path).finish_non_exhaustive()
    }
}

/// All concrete namespaces of a door, by their path.
#[derive(Debug, Default)]
pub(crate) struct Places {
    by_path: Mutex<HashMap<Str, Arc<Place>>>,
    /// Held while a namespace is made or freed: the engine itself would make one twice for two who come at once.
    making: Mutex<()>,
    emptied: Notify,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, HashMap<Str, Arc<Place>>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a namespace made, unless it is there. Somebody is about to enter it, so it is kept for the grace time.
    pub(crate) fn ensure(&self, path: &str, make: impl FnOnce()) {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.lock().get(path).cloned();
        match known {
            Some(place) => *place.empty_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now(),
            None => make(),
        }
        drop(making);
        self.emptied.notify_one();
    }

    /// Enters a namespace. It stays as long as somebody is in it.
    pub(crate) fn enter(self: &Arc<Self>, path: &str) -> Option<Resident> {
        let places = self.lock();
        let place = Arc::clone(places.get(path)?);
        place.residents.fetch_add(1, Ordering::AcqRel);
        Some(Resident { place, places: Arc::clone(self) })
    }

    /// Waits until some namespace has been empty for `grace`, and forgets those that are.
    pub(crate) async fn sweep(
        &self,
        grace: Duration,
        is_dynamic: impl Fn(&str) -> bool,
        delete: impl Fn(&str),
    ) {
        self.emptied.notified().await;
        tokio::time::sleep(grace).await;
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = false;
        // Under the lock nobody enters, and whoever comes later finds the namespace made anew.
        self.lock().retain(|path, place| {
            if place.residents.load(Ordering::Acquire) > 0 || !is_dynamic(path) {
                return true;
            }
            let since = *place.empty_since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.elapsed() < grace {
                left = true;
                return true;
            }
            delete(path);
            false
        });
        if left {
            self.emptied.notify_one();
        }
    }
}

/// Somebody's stay in a namespace.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) place: Arc<Place>,
    places: Arc<Places>,
}

impl Drop for Resident {
    fn drop(&mut self) {
        if self.place.residents.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.place.empty_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            self.places.emptied.notify_one();
        }
    }
}

/// What socketioxide asks for rooms; it makes one for each concrete namespace.
pub(crate) struct Relay {
    local: Arc<CoreLocalAdapter<Emitter>>,
    place: Arc<Place>,
    places: Arc<Places>,
}

impl CoreAdapter<Emitter> for Relay {
    type Error = Infallible;
    type State = Arc<Places>;
    type AckStream = Answers;
    type InitRes = ();

    fn new(places: &Arc<Places>, local: CoreLocalAdapter<Emitter>) -> Self {
        let local = Arc::new(local);
        let place = Arc::new(Place::new(Arc::clone(&local)));
        Self { local, place, places: Arc::clone(places) }
    }

    fn init(self: Arc<Self>, on_success: impl FnOnce() + Send + 'static) {
        self.places.lock().insert(self.place.path.clone(), Arc::clone(&self.place));
        on_success();
    }

    async fn broadcast_with_ack(
        &self,
        packet: Packet,
        options: BroadcastOptions,
        patience: Option<Duration>,
    ) -> Result<Answers, Infallible> {
        Ok(self.local.broadcast_with_ack(packet, options, patience).0)
    }

    fn get_local(&self) -> &CoreLocalAdapter<Emitter> {
        &self.local
    }
}

impl DefinedAdapter for Relay {}
