//! Members: one client of one namespace each, between the engine's reader, the core's senders and the client's task.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, task::AtomicWaker};
use narthex_core::{
    AckId, ClientId, CloseReason, DecodeError, DecodeLimits, DirectSink, Frame, GroupSink, Incoming, Outlet,
    Session,
};
use socketioxide_core::{Sid, Str, Value};
use tokio::sync::oneshot;

use crate::{
    connection::Connection,
    door::Door,
    envelope::{self, Packets},
    packet::{Outbound, binary_packet, frame_packet, text_packet},
    place::{Answers, Place, Resident},
};

/// How long the engine keeps a request of the server; the core gives up before, and tells the task.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// From so many messages that wait for their turn, the connection is not read.
const BACKED_UP: usize = 64;

/// The most that may wait: what one read had brought, and what comes while an answer is awaited.
const INBOX: usize = 4096;

/// With the bytes that it holds on to.
type Decoded = (Result<Incoming, DecodeError>, usize);

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

struct Driver {
    session: Session,
    attached: bool,
    direct: bool,
    /// The client's task, which handlers wake.
    waker: Waker,
    full: bool,
    awaiting: bool,
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

    /// Takes an event that the engine has read.
    pub(crate) fn receive(&self, value: Value, ack: Option<i64>) {
        let id = ack.and_then(|id| AckId::try_from(id).ok());
        let decoded = match value {
            Value::Str(text, attachments) => {
                let attachments = attachments.map(Vec::from).unwrap_or_default();
                let size = text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
                let message = envelope::event(Bytes::from(text), attachments, id, &self.limits);
                (message.map(Incoming::Message), size)
            }
            Value::Bytes(_) => return,
        };
        match self.driver.try_lock() {
            Ok(mut driver) => match &mut *driver {
                // A connected client whose task has the session.
                Some(driver) if self.is_free(driver) => self.handle(driver, decoded),
                _ => self.keep(decoded),
            },
            Err(TryLockError::WouldBlock) => self.keep(decoded),
            // The core catches what users' code panics with, so this is a defect of ours.
            Err(TryLockError::Poisoned(_)) => {
                self.set_end(CloseReason::Failed("a session panicked".to_owned()))
            }
        }
        if self.waiting.swap(false, Ordering::AcqRel) {
            self.wake();
        }
    }

    fn is_free(&self, driver: &Driver) -> bool {
        driver.attached && driver.session.accepts_input() && lock(&self.inbox).is_empty()
    }

    fn keep(&self, decoded: Decoded) {
        let mut inbox = lock(&self.inbox);
        if inbox.len() >= INBOX {
            drop(inbox);
            return self.set_end(CloseReason::Overflow);
        }
        inbox.push_back(decoded);
        if inbox.len() >= BACKED_UP && !self.backed_up.swap(true, Ordering::AcqRel) {
            self.connection.set_full(true);
        }
        drop(inbox);
        self.wake();
    }

    fn take(&self) -> Option<Decoded> {
        let mut inbox = lock(&self.inbox);
        let taken = inbox.pop_front();
        if inbox.is_empty() {
            // What a burst took is given back.
            *inbox = VecDeque::new();
            self.relieve();
        }
        taken
    }

    fn relieve(&self) {
        if self.backed_up.swap(false, Ordering::AcqRel) {
            self.connection.set_full(false);
        }
    }

    fn handle(&self, driver: &mut Driver, decoded: Decoded) {
        let waker = driver.waker.clone();
        let (decoded, size) = decoded;
        driver.session.receive_decoded(&mut Context::from_waker(&waker), decoded, size, &mut ToEngine(self));
        self.report(driver);
    }

    /// Tells the connection what this client can take.
    fn report(&self, driver: &mut Driver) {
        let full = !driver.session.accepts_input();
        if std::mem::replace(&mut driver.full, full) != full {
            self.connection.set_full(full);
        }
        let awaiting = driver.session.awaits_any();
        if std::mem::replace(&mut driver.awaiting, awaiting) != awaiting {
            self.connection.set_awaiting(awaiting);
        }
    }

    /// Gives the session to the engine's reader and the task to share.
    pub(crate) fn open(&self, session: Session, direct: bool) {
        let waker = Waker::noop().clone();
        let driver = Driver { session, attached: false, direct, waker, full: false, awaiting: false };
        *lock(&self.driver) = Some(driver);
    }

    /// Takes the session back; nothing is handled from now on.
    pub(crate) fn close(&self) {
        let driver = lock(&self.driver).take();
        if let Some(mut driver) = driver {
            if std::mem::take(&mut driver.full) {
                self.connection.set_full(false);
            }
            if std::mem::take(&mut driver.awaiting) {
                self.connection.set_awaiting(false);
            }
            *lock(&self.inbox) = VecDeque::new();
            self.relieve();
            lock(&self.requests).clear();
        }
    }

    /// One turn of the client's task.
    pub(crate) fn poll(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        self.task.register(cx.waker());
        if let Some(reason) = self.end() {
            return Poll::Ready(reason);
        }
        if !self.answered.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let Ok(mut guard) = self.driver.try_lock() else {
            self.waiting.store(true, Ordering::Release);
            return match self.driver.try_lock() {
                Ok(mut guard) => self.turn(&mut guard, cx),
                Err(_) => Poll::Pending,
            };
        };
        self.turn(&mut guard, cx)
    }

    fn turn(self: &Arc<Self>, driver: &mut Option<Driver>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let Some(driver) = driver else { return Poll::Ready(CloseReason::ClientGone) };
        driver.waker.clone_from(cx.waker());
        if !driver.attached {
            driver.attached = true;
            if driver.direct {
                driver.session.attach(Arc::clone(self) as Arc<dyn DirectSink>);
            }
        }
        loop {
            let taken = match driver.session.accepts_input() {
                true => self.take(),
                false => None,
            };
            let Some((decoded, size)) = taken else { break };
            driver.session.receive_decoded(cx, decoded, size, &mut ToEngine(self));
        }
        let polled = driver.session.poll_outbound(cx, &mut ToEngine(self));
        self.poll_requests(driver, cx);
        self.report(driver);
        if polled.is_pending() && driver.session.accepts_input() && !lock(&self.inbox).is_empty() {
            cx.waker().wake_by_ref();
        }
        polled
    }

    /// Hands over answers, and forgets requests that the core has given up.
    fn poll_requests(&self, driver: &mut Driver, cx: &mut Context<'_>) {
        lock(&self.requests).retain_mut(|(id, answers)| {
            if !driver.session.awaits(*id) {
                return false;
            }
            match answers.as_mut().poll_next(cx) {
                Poll::Pending => true,
                Poll::Ready(Some((_, Ok(Value::Str(text, attachments))))) => {
                    let attachments = attachments.map(Vec::from).unwrap_or_default();
                    // One that cannot be read is no answer; the request times out.
                    if let Ok(result) = envelope::answer(Bytes::from(text), attachments, &self.limits) {
                        driver.session.answer(*id, result);
                    }
                    false
                }
                Poll::Ready(_) => false,
            }
        });
    }

    /// Hands a packet to the engine.
    fn hand_over(&self, outbound: Option<Outbound>) -> bool {
        let Some(Outbound { packet, asks, size }) = outbound else { return true };
        if self.ended.load(Ordering::Acquire) {
            return false;
        }
        self.connection.count(size);
        if let Some(id) = asks {
            let answers = self.place().ask(self.sid, packet, PATIENCE);
            lock(&self.requests).push((id, Box::pin(answers)));
            self.wake();
            return true;
        }
        let sent = self.place().send(self.sid, packet);
        if !sent {
            self.connection.wrote(1, size);
        }
        sent
    }

    fn namespace(&self) -> &Str {
        self.place().path()
    }

    fn admits(&self, len: usize) -> bool {
        let (messages, bytes) = self.connection.backlog();
        messages < self.bounds.0 && bytes + len <= self.bounds.1
    }

    /// The envelope of all members.
    pub(crate) fn envelope() -> Packets {
        Packets
    }
}

impl DirectSink for Member {
    fn send(&self, frame: &Frame) -> bool {
        self.admits(frame.payload().len()) && self.hand_over(frame_packet(self.namespace(), frame))
    }

    fn reserve(&self, len: usize) -> bool {
        let admitted = !self.ended.load(Ordering::Acquire) && self.admits(len);
        if admitted {
            self.connection.count(len + crate::packet::overhead(self.namespace()));
        }
        admitted
    }

    fn backlog(&self) -> (usize, usize) {
        self.connection.backlog()
    }

    fn join(&self, room: Option<&str>) {
        self.place().join(self.sid, room);
    }

    fn leave(&self, room: Option<&str>) {
        self.place().leave(self.sid, room);
    }

    fn group(&self) -> &Arc<dyn GroupSink> {
        &self.group
    }
}

/// The client's replies, on their way to the engine.
struct ToEngine<'a>(&'a Member);

impl ToEngine<'_> {
    fn hand_over(&self, outbound: Option<Outbound>) {
        if !self.0.hand_over(outbound) {
            self.0.set_end(CloseReason::Overflow);
        }
    }
}

impl Outlet for ToEngine<'_> {
    fn text(&mut self, payload: &[u8]) {
        self.hand_over(text_packet(self.0.namespace(), payload));
    }

    fn binary(&mut self, payload: &[u8]) {
        self.hand_over(binary_packet(self.0.namespace(), &Bytes::copy_from_slice(payload)));
    }

    fn framed(&mut self, _: &Bytes) {
        // This door gives the core no framing.
    }

    fn is_full(&self) -> bool {
        self.0.connection.is_congested()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("namespace", self.namespace()).finish_non_exhaustive()
    }
}
