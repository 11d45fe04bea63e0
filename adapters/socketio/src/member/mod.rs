//! Members: one client of one namespace each, between the engine's reader, the core's senders and the client's task.

mod driver;
mod inbox;
mod sink;

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::task::AtomicWaker;
use narthex_core::{AckId, ClientId, CloseReason, DecodeLimits, GroupSink};
use socketioxide_core::{Sid, Str};
use tokio::sync::oneshot;

use self::{driver::Driver, inbox::Decoded};
use crate::{
    connection::Connection,
    door::Door,
    envelope::Packets,
    place::{Answers, Place, Resident},
};

/// One peer in one namespace, as the adapter opens it.
pub struct SocketIoClient {
    pub(crate) member: Arc<Member>,
    pub(crate) door: Arc<Door>,
    /// Where the CONNECT waits for `on_connect`.
    pub(crate) verdict: oneshot::Sender<Result<ClientId, String>>,
}

impl fmt::Debug for SocketIoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIoClient").field("member", &self.member).finish_non_exhaustive()
    }
}

/// One client of one namespace.
pub(crate) struct Member {
    sid: Sid,
    connection: Arc<Connection>,
    resident: Resident,
    group: Arc<dyn GroupSink>,
    limits: DecodeLimits,
    /// Bounds of what is handed to the engine and not written: messages and bytes.
    bounds: (usize, usize),
    /// The session, once `on_connect` is done.
    driver: Mutex<Option<Driver>>,
    /// Somebody found the driver busy and waits for its turn.
    waiting: AtomicBool,
    inbox: Mutex<VecDeque<Decoded>>,
    task: AtomicWaker,
    end: Mutex<Option<CloseReason>>,
    ended: AtomicBool,
    /// The inbox is so long that the connection is not read.
    backed_up: AtomicBool,
    requests: Mutex<Vec<(AckId, Pin<Box<Answers>>)>>,
    /// The peer has been told that it is connected.
    answered: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Member {
    pub(crate) fn new(sid: Sid, connection: Arc<Connection>, resident: Resident, door: &Door) -> Arc<Self> {
        let group = Arc::clone(&resident.place) as Arc<dyn GroupSink>;
        Arc::new(Self {
            sid,
            connection,
            resident,
            group,
            limits: door.limits,
            bounds: (door.front.settings.buffer, door.outbox_bytes),
            driver: Mutex::default(),
            waiting: AtomicBool::new(false),
            inbox: Mutex::default(),
            task: AtomicWaker::new(),
            end: Mutex::default(),
            ended: AtomicBool::new(false),
            backed_up: AtomicBool::new(false),
            requests: Mutex::default(),
            answered: AtomicBool::new(false),
        })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.resident.place
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(crate) fn sid(&self) -> Sid {
        self.sid
    }

    /// Lets the client's task look around.
    pub(crate) fn wake(&self) {
        self.task.wake();
    }

    /// The peer has been told that it is connected: what was held may leave.
    pub(crate) fn set_answered(&self) {
        self.answered.store(true, Ordering::Release);
        self.wake();
    }

    /// The engine is done with this member. The first reason is kept.
    pub(crate) fn set_end(&self, reason: CloseReason) {
        lock(&self.end).get_or_insert(reason);
        self.ended.store(true, Ordering::Release);
        self.wake();
    }

    fn end(&self) -> Option<CloseReason> {
        let end = lock(&self.end).clone()?;
        Some(self.connection.cause().unwrap_or(end))
    }

    fn namespace(&self) -> &Str {
        self.place().path()
    }

    /// The envelope of all members.
    pub(crate) fn envelope() -> Packets {
        Packets
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("namespace", self.namespace()).finish_non_exhaustive()
    }
}
