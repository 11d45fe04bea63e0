//! One session of the engine: what its transports, its namespaces and the front know of each other.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use narthex_core::{ClientId, CloseReason, SharedConnection};
use socketioxide_core::Sid;
use tokio::sync::Notify;

use crate::{
    member::Member,
    protocol::Protocol,
    registry::{Registry, Secret},
};

/// Over so many bytes to write, a connection is not read and streams wait.
const HIGH_WATER: usize = 64 * 1024;

/// One session of the engine. It lives as long as the engine's own session, which has it among its request's
/// extensions, and as long as its stream.
pub(crate) struct Connection {
    secret: Secret,
    protocol: Protocol,
    registry: Weak<Registry>,
    /// The engine's own id; the peer never sees it.
    sid: OnceLock<Sid>,
    pub(crate) shared: SharedConnection,
    seats: Mutex<Vec<Seat>>,
    /// What was handed to the engine and is not written yet.
    queued: Queued,
    /// Members that take no more input.
    full: AtomicUsize,
    /// Members that await an answer of the peer.
    awaiting: AtomicUsize,
    reader: AtomicWaker,
    changed: Notify,
    upgrading: AtomicBool,
    /// Polls that wait at the engine.
    polls: AtomicUsize,
    killed: AtomicBool,
    cause: Mutex<Option<CloseReason>>,
}

/// A namespace that the peer is in, or is about to be.
struct Seat {
    namespace: Box<str>,
    /// Known once its `on_connect` is done.
    id: Option<ClientId>,
    member: Weak<Member>,
}

/// What was handed to the engine and not written: messages in the upper 24 bits, their bytes in the lower 40, so that one
/// operation changes both.
#[derive(Debug, Default)]
struct Queued(AtomicU64);

impl Queued {
    const MESSAGE: u64 = 1 << 40;

    fn add(&self, bytes: usize) {
        // Both are bounded far below their room.
        self.0.fetch_add(Self::MESSAGE | bytes as u64, Ordering::AcqRel);
    }

    /// Takes away, and says what was there before and after. Sizes are estimates; no message queued is nothing queued.
    fn subtract(&self, messages: usize, bytes: usize) -> ((usize, usize), (usize, usize)) {
        let taken = |now| {
            let (all, size) = Self::split(now);
            Some(match all.saturating_sub(messages) {
                0 => 0,
                left => (left as u64 * Self::MESSAGE) | size.saturating_sub(bytes) as u64,
            })
        };
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken).unwrap_or_default();
        (Self::split(before), Self::split(taken(before).unwrap_or_default()))
    }

    fn get(&self) -> (usize, usize) {
        Self::split(self.0.load(Ordering::Acquire))
    }

    fn split(both: u64) -> (usize, usize) {
        ((both / Self::MESSAGE) as usize, (both % Self::MESSAGE) as usize)
    }
}

/// Takes one away from a counter, which never falls below zero.
fn decrement(counter: &AtomicUsize) {
    let less = |now: usize| Some(now.saturating_sub(1));
    let _ = counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
}

impl Connection {
    pub(crate) fn new(secret: Secret, protocol: Protocol, registry: Weak<Registry>) -> Self {
        Self {
            secret,
            protocol,
            registry,
            sid: OnceLock::new(),
            shared: SharedConnection::new(),
            seats: Mutex::default(),
            queued: Queued::default(),
            full: AtomicUsize::new(0),
            awaiting: AtomicUsize::new(0),
            reader: AtomicWaker::new(),
            changed: Notify::new(),
            upgrading: AtomicBool::new(false),
            polls: AtomicUsize::new(0),
            killed: AtomicBool::new(false),
            cause: Mutex::default(),
        }
    }

    /// The session's id as the peer knows it.
    pub(crate) fn secret(&self) -> String {
        self.secret.text()
    }

    /// What its peer speaks.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn set_sid(&self, sid: Sid) {
        // It is learnt once for each namespace, and always the same.
        let _: Result<(), Sid> = self.sid.set(sid);
    }

    pub(crate) fn sid(&self) -> Option<Sid> {
        self.sid.get().copied()
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a namespace.
    pub(crate) fn sit(&self, namespace: &str, member: &Arc<Member>) {
        let member = Arc::downgrade(member);
        self.seats().push(Seat { namespace: namespace.into(), id: None, member });
    }

    /// Says who the peer is in a namespace, before it reads that it is connected.
    pub(crate) fn name(&self, namespace: &str, id: ClientId) {
        if let Some(seat) = self.seats().iter_mut().find(|seat| *seat.namespace == *namespace) {
            seat.id = Some(id);
        }
    }

    /// Who the peer is in a namespace.
    pub(crate) fn id(&self, namespace: &str) -> Option<ClientId> {
        self.seats().iter().find(|seat| *seat.namespace == *namespace)?.id
    }

    pub(crate) fn member(&self, namespace: &str) -> Option<Arc<Member>> {
        self.seats().iter().find(|seat| *seat.namespace == *namespace)?.member.upgrade()
    }

    fn members(&self) -> Vec<Arc<Member>> {
        self.seats().iter().filter_map(|seat| seat.member.upgrade()).collect()
    }

    /// Gives a namespace's place back, and says whether nobody is left.
    pub(crate) fn rise(&self, member: &Member) -> bool {
        let mut seats = self.seats();
        seats.retain(|seat| !std::ptr::eq(seat.member.as_ptr(), member));
        seats.is_empty()
    }

    /// Whether it carries nobody.
    pub(crate) fn is_vacant(&self) -> bool {
        self.seats().is_empty()
    }

    /// Counts what is handed to the engine.
    pub(crate) fn count(&self, bytes: usize) {
        self.queued.add(bytes);
    }

    /// Counts what was written, or was refused by the engine.
    pub(crate) fn wrote(&self, messages: usize, bytes: usize) {
        let ((_, before), (messages, left)) = self.queued.subtract(messages, bytes);
        // Nobody else waits for a write: a reader that is woken for nothing costs as much as a message.
        if left < HIGH_WATER && before >= HIGH_WATER {
            self.members().iter().for_each(|member| member.wake());
            self.look_again();
        } else if messages == 0 {
            self.changed.notify_waiters();
        }
    }

    /// How many messages and bytes wait to be written.
    pub(crate) fn backlog(&self) -> (usize, usize) {
        self.queued.get()
    }

    /// Whether streams and reading wait for the peer to take what it is owed.
    pub(crate) fn is_congested(&self) -> bool {
        self.backlog().1 >= HIGH_WATER
    }

    /// Whether more input may be taken.
    fn may_read(&self) -> bool {
        let full = self.full.load(Ordering::Acquire) > 0 && self.awaiting.load(Ordering::Acquire) == 0;
        !full && !self.is_congested()
    }

    /// A member begins or ceases to take no input.
    pub(crate) fn set_full(&self, full: bool) {
        Self::shift(&self.full, full);
        self.look_again();
    }

    /// A member begins or ceases to await an answer.
    pub(crate) fn set_awaiting(&self, awaiting: bool) {
        Self::shift(&self.awaiting, awaiting);
        self.look_again();
    }

    fn shift(counter: &AtomicUsize, up: bool) {
        if up {
            counter.fetch_add(1, Ordering::AcqRel);
        } else {
            decrement(counter);
        }
    }

    fn look_again(&self) {
        self.reader.wake();
        self.changed.notify_waiters();
    }

    /// Whether the reader may go on; it is woken when that changes.
    pub(crate) fn poll_may_read(&self, waker: &Waker) -> bool {
        if self.may_read() {
            return true;
        }
        self.reader.register(waker);
        self.may_read()
    }

    pub(crate) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// Has the reader look again whenever something changes.
    pub(crate) fn register_reader(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    async fn until(&self, holds: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if holds() || self.is_killed() {
                return;
            }
            changed.await;
        }
    }

    /// Done when input may be taken.
    pub(crate) async fn readable(&self) {
        self.until(|| self.may_read()).await;
    }

    /// Done when everything that was handed to the engine is written.
    pub(crate) async fn flushed(&self) {
        self.until(|| self.backlog().0 == 0).await;
    }

    /// Marks a poll that waits at the engine, until the guard is dropped.
    pub(crate) fn begin_poll(&self) -> Polling<'_> {
        self.polls.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
        Polling(self)
    }

    /// Done when a poll waits at the engine.
    pub(crate) async fn polled(&self) {
        self.until(|| self.polls.load(Ordering::Acquire) > 0).await;
    }

    /// A WebSocket has come for this session on polling.
    pub(crate) fn set_upgrading(&self) {
        self.upgrading.store(true, Ordering::Release);
    }

    pub(crate) fn is_upgrading(&self) -> bool {
        self.upgrading.load(Ordering::Acquire)
    }

    /// Ends the session: its stream is at its end from now on. The first cause is kept.
    pub(crate) fn kill(&self, cause: Option<CloseReason>) {
        if let Some(cause) = cause {
            self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
        }
        self.killed.store(true, Ordering::Release);
        self.look_again();
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Why this side ended the session, where it did.
    pub(crate) fn cause(&self) -> Option<CloseReason> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A poll that waits at the engine.
pub(crate) struct Polling<'a>(&'a Connection);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        decrement(&self.0.polls);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.remove(&self.secret);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("backlog", &self.backlog()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
