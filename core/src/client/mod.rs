//! Clients: one connected peer each, whichever door it came through.

mod acks;
mod close;
mod connection;
mod cork;
#[cfg(test)]
mod crowd;
mod direct;
mod expiry;
mod handshake;
mod id;
mod on_open;
mod outbox;
mod wire;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::Extensions;
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::{
    acks::PendingAcks,
    expiry::Expiries,
    handshake::hide_credentials,
    outbox::{Due, OutItem, Outbox, Pushed},
    wire::Wire,
};
pub use self::{
    close::CloseReason,
    connection::SharedConnection,
    cork::cork,
    direct::{DirectSink, DirectWrite, GroupSink},
    handshake::{AuthPayload, HandshakeInfo, Params, PeerAddr, Principal},
    id::ClientId,
    on_open::OnOpen,
};
use crate::{
    error::{Error, ErrorKind, Result},
    message::{Outgoing, Payload},
    observer::Sent,
    room::{Hub, HubInner, Membership, Target},
    stats::Counters,
};

/// A handle of one connected peer: cheap to clone, and the same for every door.
#[derive(Clone)]
pub struct Client(Arc<ClientInner>);

pub(crate) struct ClientInner {
    id: ClientId,
    connected_at: SystemTime,
    handshake: Arc<HandshakeInfo>,
    wire: Wire,
    hub: Arc<HubInner>,
    connection: Option<SharedConnection>,
    pub(crate) outbox: Outbox,
    pub(crate) acks: PendingAcks,
    pub(crate) membership: Mutex<Membership>,
    data: Mutex<Extensions>,
    /// Its `on_connect` has let it in.
    connected: AtomicBool,
}

impl ClientInner {
    pub(crate) fn set_connected(&self) {
        self.connected.store(true, Ordering::Release);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }
}

impl Client {
    pub(crate) fn open(
        handshake: Arc<HandshakeInfo>,
        wire: Wire,
        hub: Arc<HubInner>,
        connection: Option<SharedConnection>,
    ) -> Self {
        let client = Self(Arc::new(ClientInner {
            id: ClientId::generate(),
            connected_at: SystemTime::now(),
            handshake,
            wire,
            hub,
            connection,
            outbox: Outbox::new(),
            acks: PendingAcks::default(),
            membership: Mutex::default(),
            data: Mutex::default(),
            connected: AtomicBool::new(false),
        }));
        if let Some(connection) = &client.0.connection {
            connection.add(&client);
        }
        client
    }

    pub(crate) fn inner(&self) -> &ClientInner {
        &self.0
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.0.wire
    }

    pub(crate) fn hub_inner(&self) -> &Arc<HubInner> {
        &self.0.hub
    }

    /// The public id.
    pub fn id(&self) -> ClientId {
        self.0.id
    }

    /// When it connected.
    pub fn connected_at(&self) -> SystemTime {
        self.0.connected_at
    }

    /// The handshake it arrived with.
    pub fn handshake(&self) -> &HandshakeInfo {
        &self.0.handshake
    }

    pub(crate) fn handshake_arc(&self) -> &Arc<HandshakeInfo> {
        &self.0.handshake
    }

    /// The name of the adapter that it came through: `"ws"`, `"socketio"`, `"sse"`, `"memory"`, or what an adapter of
    /// somebody else's calls itself.
    pub fn adapter(&self) -> &'static str {
        self.0.handshake.adapter()
    }

    /// The hub of its namespace.
    pub fn hub(&self) -> Hub {
        Hub::from(Arc::clone(&self.0.hub))
    }

    /// Sends an event to this client alone.
    ///
    /// It is queued; a full outbox acts by its policy. What a handler sends leaves when it waits or is done, so one that
    /// blocks its thread (tokio's `block_in_place`) keeps it back for so long; send from `spawn_blocking` there.
    ///
    /// # Errors
    /// `Encode` when `data` cannot be written as JSON, `Unsupported` when the envelope has no form for it,
    /// `Dropped` when the outbox dropped it, `Disconnected` when the client is gone.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Result<()> {
        self.emit_payload(event, &Payload::json(data)?)
    }

    /// Sends an event with a payload as it is: JSON made before, or bytes.
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub fn emit_payload(&self, event: &str, payload: &Payload) -> Result<()> {
        self.send(Outgoing::Event { event, payload, ack: None })
    }

    /// Sends an event that is of no use later: where anything waits in the outbox already, it is dropped and counted
    /// (Socket.IO's `volatile`). What a door has taken from the outbox and not written yet does not count.
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub fn emit_volatile<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Result<()> {
        if !self.is_ready() {
            return self.pushed(Pushed::Dropped);
        }
        self.emit(event, data)
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.outbox.depth().0 == 0
    }

    /// Sends an event and awaits the client's answer.
    ///
    /// Cancel safe: dropping the future forgets the request.
    ///
    /// # Errors
    /// `Timeout`, `Disconnected`, `Limit` (too many requests pending), `Refused` when the client answers with an
    /// error, `Unsupported` when the envelope has no ids, `Encode` when the answer does not fit `R`.
    pub async fn emit_with_ack<R: DeserializeOwned>(
        &self,
        event: &str,
        data: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<R> {
        let answer = self.ask(event, &Payload::json(data)?, timeout).await?;
        answer
            .parse()
            .map_err(|e| Error::new(ErrorKind::Encode, "the answer is not of the asked type").with_source(e))
    }

    pub(crate) async fn ask(&self, event: &str, payload: &Payload, timeout: Duration) -> Result<Payload> {
        if !self.0.wire.envelope().capability().server_acks {
            return Err(Error::new(ErrorKind::Unsupported, "this client's envelope cannot answer requests"));
        }
        let (id, answer) = self.0.acks.open(self.0.hub.limits().pending_acks)?;
        let _forget = Forget { client: self, id };
        self.send(Outgoing::Event { event, payload, ack: Some(id) })?;
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(Ok(payload))) => Ok(payload),
            Ok(Ok(Err(error))) => Err(refused(&error)),
            Ok(Err(_)) => Err(Error::new(ErrorKind::Disconnected, "the client left before it answered")),
            Err(_) => Err(Error::new(ErrorKind::Timeout, "the client did not answer in time")),
        }
    }

    pub(crate) fn send(&self, outgoing: Outgoing<'_>) -> Result<()> {
        self.push(OutItem::Frame(self.0.wire.encode(outgoing)?))?;
        if matches!(outgoing, Outgoing::Event { ack: Some(_), .. }) {
            // Somebody waits for the answer, perhaps without an end of the scope in between.
            self.0.outbox.flush(true);
        }
        self.0.hub.observe(|observer| observer.sent(&Sent::new(&outgoing, 1)));
        Ok(())
    }

    pub(crate) fn push(&self, item: OutItem) -> Result<()> {
        let (pushed, due) = self.0.outbox.push(item, self.0.hub.limits(), cork::current());
        match due {
            Due::Nothing => {}
            Due::Later => cork::remember(self),
            Due::Now => self.0.outbox.flush(true),
        }
        self.pushed(pushed)
    }

    /// Counts what a group is about to deliver to this client, and gives the group; `Ok(None)` where the client is
    /// reached by itself.
    pub(crate) fn reserve(&self, item: &OutItem) -> Result<Option<Arc<dyn GroupSink>>> {
        let (pushed, group) = self.0.outbox.reserve(item);
        self.pushed(pushed).map(|()| group)
    }

    fn pushed(&self, pushed: Pushed) -> Result<()> {
        let hub = &self.0.hub;
        match pushed {
            Pushed::Queued => Ok(()),
            Pushed::Evicted(evicted) => {
                hub.counters().dropped.fetch_add(evicted, Ordering::Relaxed);
                Ok(())
            }
            Pushed::Dropped => {
                Counters::add(&hub.counters().dropped);
                Err(Error::new(ErrorKind::Dropped, "the client's outbox is full"))
            }
            Pushed::Overflowed => {
                Counters::add(&hub.counters().overflowed);
                Err(Error::new(ErrorKind::Disconnected, "the client's outbox overflowed"))
            }
            Pushed::Closed => Err(Error::new(ErrorKind::Disconnected, "the client is gone")),
        }
    }

    /// A broadcast to a room from this client: everybody in it but the client itself.
    pub fn to(&self, room: &str) -> Target {
        self.hub().to(room).except(self.id())
    }

    /// A broadcast from this client to everybody in the namespace but itself.
    pub fn broadcast(&self) -> Target {
        self.hub().all().except(self.id())
    }

    /// Makes the client leave, after what is queued for it. `code` is a close code (RFC 6455 section 7.4).
    pub fn disconnect(&self, code: u16, text: impl Into<std::borrow::Cow<'static, str>>) {
        self.0.outbox.close(CloseReason::disconnected(code, text));
    }

    /// Makes everybody on this client's connection leave: on Socket.IO one connection carries a client for each of its
    /// namespaces, and is closed with the last of them. On other doors the same as [`disconnect`](Self::disconnect).
    pub fn disconnect_connection(&self, code: u16, text: impl Into<std::borrow::Cow<'static, str>>) {
        let text = text.into();
        if let Some(connection) = &self.0.connection {
            connection.clients().iter().for_each(|client| client.disconnect(code, text.clone()));
        }
        self.disconnect(code, text);
    }

    /// Whether it is gone, or about to go.
    pub fn is_closed(&self) -> bool {
        self.0.outbox.is_closed()
    }

    /// How many messages and bytes wait in its outbox.
    pub fn outbox_depth(&self) -> (usize, usize) {
        self.0.outbox.depth()
    }

    /// How many messages its outbox has dropped.
    pub fn outbox_dropped(&self) -> u64 {
        self.0.outbox.dropped()
    }

    /// The value of type `T` that a hook, a guard or a handler has put on this client. Its `Clone` must not ask this client
    /// for data.
    pub fn data<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.lock_data().get::<T>().cloned()
    }

    /// Puts a value on this client, and returns the one of the same type that it replaces.
    pub fn set_data<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        self.lock_data().insert(value)
    }

    /// All of it, for extractors.
    pub(crate) fn all_data(&self) -> Extensions {
        self.lock_data().clone()
    }

    fn lock_data(&self) -> MutexGuard<'_, Extensions> {
        // `Clone` of a user's type runs under this lock; should it panic, the map is still whole.
        self.0.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a request when its future is dropped, answered or not.
struct Forget<'a> {
    client: &'a Client,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.client.0.acks.forget(self.id);
        // A door that stopped reading for want of room may go on now.
        self.client.0.outbox.wake();
    }
}

fn refused(error: &Payload) -> Error {
    #[derive(serde::Deserialize)]
    struct Wire {
        message: String,
    }
    let text =
        error.parse::<Wire>().map_or_else(|_| "the client answered with an error".to_owned(), |w| w.message);
    Error::new(ErrorKind::Refused, text)
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Client {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.0.id)
            .field("namespace", &self.0.hub.path())
            .finish_non_exhaustive()
    }
}
