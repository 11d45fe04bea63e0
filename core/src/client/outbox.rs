//! The bounded queue of what waits for a client's carrier.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::{CloseReason, DirectSink, DirectWrite, GroupSink};
use crate::{
    limits::{Limits, Overflow},
    message::{Frame, Outlet},
};

/// One queued frame.
#[derive(Clone, Debug)]
pub(crate) enum OutItem {
    Frame(Frame),
    /// Already written in the door's own framing.
    Framed(Bytes),
}

impl OutItem {
    fn len(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.payload().len(),
            Self::Framed(bytes) => bytes.len(),
        }
    }

    /// The frame of a door without a framing of its own.
    pub(crate) fn as_frame(&self) -> Option<&Frame> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Framed(_) => None,
        }
    }

    fn write(&self, out: &mut dyn Outlet) {
        match self {
            Self::Frame(frame) => out.frame(frame),
            Self::Framed(bytes) => out.framed(bytes),
        }
    }
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    /// Queued, and so many older ones dropped for it.
    Evicted(u64),
    Dropped,
    Overflowed,
    Closed,
}

/// Who sees to it that a pushed frame leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Somebody else.
    Nothing,
    /// Whoever pushed, at the end of its scope.
    Later,
    /// Whoever pushed, at once.
    Now,
}

pub(crate) struct Outbox {
    state: Mutex<State>,
    waker: AtomicWaker,
    /// Writes to the client's socket from any thread.
    writer: OnceLock<Arc<dyn DirectWrite>>,
    /// Where frames go instead of the queue. Put in with the state locked.
    direct: OnceLock<Arc<dyn DirectSink>>,
    /// There is something to drain: a frame, or the end. Asked in every turn, so apart from the state.
    pending: AtomicBool,
    /// Asked before every message, so apart from the state.
    told_to_leave: AtomicBool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<OutItem>,
    bytes: usize,
    dropped: u64,
    /// The scope that sends what is queued when it ends.
    scope: u64,
    /// The server wants the client gone, once what is queued has left.
    closing: Option<CloseReason>,
    /// Nothing is taken any more.
    closed: bool,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("queued", &self.queue.len())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            waker: AtomicWaker::new(),
            writer: OnceLock::new(),
            direct: OnceLock::new(),
            pending: AtomicBool::new(false),
            told_to_leave: AtomicBool::new(false),
        }
    }

    /// Keeps `pending` true to a state that has changed, under its lock.
    fn note(&self, state: &State) {
        self.pending.store(!state.queue.is_empty() || state.closing.is_some(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of a user runs under this lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame, and says what is left to do for whoever pushed, in the scope that runs on its thread.
    pub(crate) fn push(&self, item: OutItem, limits: &Limits, scope: Option<u64>) -> (Pushed, Due) {
        let mut state = self.lock();
        let direct = self.direct.get();
        let pushed = state.push(item, limits, direct.map(|direct| &**direct));
        self.note(&state);
        match pushed {
            Pushed::Queued if direct.is_some() => (pushed, Due::Nothing),
            Pushed::Queued => (pushed, state.due(limits, scope)),
            Pushed::Evicted(_) | Pushed::Overflowed => {
                drop(state);
                self.waker.wake();
                (pushed, Due::Nothing)
            }
            Pushed::Dropped | Pushed::Closed => (pushed, Due::Nothing),
        }
    }

    /// Lets frames leave from the thread of whoever sends them.
    pub(crate) fn write_through(&self, writer: Arc<dyn DirectWrite>) {
        // A session has one carrier that can do so in its life.
        let _ = self.writer.set(writer);
    }

    /// Sees to it that what is queued leaves: here where that is wanted and the socket is free, else by the client's task.
    pub(crate) fn flush(&self, here: bool) {
        if self.is_empty() {
            // Whoever had the socket has seen to it already.
            return;
        }
        let writer = self.writer.get().filter(|_| here);
        let mut closing = false;
        let written = writer.is_some_and(|writer| writer.write(&mut |out| closing = !self.drain_open(out)));
        if !written || closing {
            self.waker.wake();
        }
    }

    /// Writes everything that is queued, but for an end that the client's task must say: `false` then.
    fn drain_open(&self, out: &mut dyn Outlet) -> bool {
        let queue = {
            let mut state = self.lock();
            if state.closing.is_some() {
                return false;
            }
            state.bytes = 0;
            self.pending.store(false, Ordering::Release);
            std::mem::take(&mut state.queue)
        };
        queue.iter().for_each(|item| item.write(out));
        true
    }

    /// Sends everything that is queued to a sink, and from now on whatever comes.
    pub(crate) fn attach(&self, direct: Arc<dyn DirectSink>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let queue = std::mem::take(&mut state.queue);
        state.bytes = 0;
        // One that takes no more is found out by the next push.
        let _ = queue.iter().filter_map(OutItem::as_frame).all(|frame| direct.send(frame));
        // A session is attached once.
        let _ = self.direct.set(direct);
    }

    /// Where frames go instead of the queue.
    pub(crate) fn direct(&self) -> Option<Arc<dyn DirectSink>> {
        self.direct.get().cloned()
    }

    /// Counts a frame that a group is about to deliver.
    pub(crate) fn reserve(&self, item: &OutItem) -> (Pushed, Option<Arc<dyn GroupSink>>) {
        // Without the lock: the sink keeps its own bounds, and knows when its client is gone.
        let Some(direct) = self.direct.get().filter(|_| !self.is_told_to_leave()) else {
            return (Pushed::Closed, None);
        };
        if direct.reserve(item.len()) {
            return (Pushed::Queued, Some(Arc::clone(direct.group())));
        }
        let mut state = self.lock();
        if state.is_shut() {
            return (Pushed::Closed, None);
        }
        let overflowed = state.overflow();
        self.note(&state);
        drop(state);
        self.waker.wake();
        (overflowed, None)
    }

    /// Asks for the end, after what is queued. The first reason wins.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        if state.closing.is_none() {
            self.told_to_leave.store(reason != CloseReason::Draining, Ordering::Release);
            state.closing = Some(reason);
        }
        self.note(&state);
        drop(state);
        self.waker.wake();
    }

    /// Takes nothing any more and forgets what is queued.
    pub(crate) fn shut(&self) {
        let mut state = self.lock();
        *state =
            State { closed: true, dropped: state.dropped, closing: state.closing.take(), ..State::default() };
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// Writes everything that is queued and says whether the server wants the end.
    pub(crate) fn drain(&self, out: &mut dyn Outlet) -> Option<CloseReason> {
        if self.is_empty() {
            return None;
        }
        let (queue, closing) = {
            let mut state = self.lock();
            state.bytes = 0;
            let queue = std::mem::take(&mut state.queue);
            self.note(&state);
            (queue, state.closing.clone())
        };
        for item in &queue {
            item.write(out);
        }
        closing
    }

    /// Whether the server wants the end.
    pub(crate) fn closing(&self) -> Option<CloseReason> {
        self.lock().closing.clone()
    }

    /// Whether the server wants the client gone, and not because of a drain.
    pub(crate) fn is_told_to_leave(&self) -> bool {
        self.told_to_leave.load(Ordering::Acquire)
    }

    /// Whether there is nothing to drain: no frame waits, and the server does not want the end.
    ///
    /// Whoever pushes wakes the client's task after this has changed, so a task that has registered itself before it asks
    /// misses nothing.
    pub(crate) fn is_empty(&self) -> bool {
        !self.pending.load(Ordering::Acquire)
    }

    /// How many messages and bytes wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        let (messages, bytes) = self.direct.get().map_or((0, 0), |direct| direct.backlog());
        (state.queue.len() + messages, state.bytes + bytes)
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    pub(crate) fn is_closed(&self) -> bool {
        let state = self.lock();
        state.closed || state.closing.is_some()
    }
}

impl State {
    fn push(&mut self, item: OutItem, limits: &Limits, direct: Option<&dyn DirectSink>) -> Pushed {
        if self.is_shut() {
            return Pushed::Closed;
        }
        if let (Some(direct), Some(frame)) = (direct, item.as_frame()) {
            return if direct.send(frame) { Pushed::Queued } else { self.overflow() };
        }
        let (len, before) = (item.len(), self.dropped);
        if !self.fits(len, limits) {
            match limits.overflow {
                Overflow::Disconnect => return self.overflow(),
                Overflow::DropOldest if len <= limits.outbox_bytes && limits.outbox_messages > 0 => {
                    while !self.fits(len, limits)
                        && let Some(oldest) = self.queue.pop_front()
                    {
                        self.bytes -= oldest.len();
                        self.dropped += 1;
                    }
                }
                // What would not fit an empty outbox drops nothing else.
                Overflow::DropNewest | Overflow::DropOldest => {
                    self.dropped += 1;
                    return Pushed::Dropped;
                }
            }
        }
        self.bytes += len;
        self.queue.push_back(item);
        match self.dropped - before {
            0 => Pushed::Queued,
            evicted => Pushed::Evicted(evicted),
        }
    }

    /// A drain lets running handlers finish, so it takes what they still send.
    fn is_shut(&self) -> bool {
        self.closed || self.closing.as_ref().is_some_and(|reason| *reason != CloseReason::Draining)
    }

    /// It missed something, so what is queued is of no use to it.
    fn overflow(&mut self) -> Pushed {
        self.queue = VecDeque::new();
        self.bytes = 0;
        self.closing = Some(CloseReason::Overflow);
        Pushed::Overflowed
    }

    /// When what was just queued must leave. What fills half of the outbox does not wait for the end of a scope.
    fn due(&mut self, limits: &Limits, scope: Option<u64>) -> Due {
        let full = self.queue.len() * 2 > limits.outbox_messages || self.bytes * 2 > limits.outbox_bytes;
        match scope {
            None => Due::Now,
            Some(_) if full => Due::Now,
            Some(scope) if scope == self.scope => Due::Nothing,
            Some(scope) => {
                self.scope = scope;
                Due::Later
            }
        }
    }

    fn fits(&self, len: usize, limits: &Limits) -> bool {
        self.queue.len() < limits.outbox_messages && self.bytes + len <= limits.outbox_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Text(Vec<String>);

    impl Outlet for Text {
        fn text(&mut self, payload: &[u8]) {
            self.0.push(String::from_utf8_lossy(payload).into_owned());
        }
        fn binary(&mut self, _: &[u8]) {}
        fn framed(&mut self, _: &Bytes) {}
    }

    fn push(outbox: &Outbox, text: &str, limits: &Limits) -> Pushed {
        outbox.push(OutItem::Frame(Frame::text(text)), limits, None).0
    }

    fn fill(policy: Overflow) -> (Vec<Pushed>, Vec<String>, Option<CloseReason>, u64) {
        let outbox = Outbox::new();
        let limits = Limits::default().outbox(2, 1024).overflow(policy);
        let pushed = (0..3).map(|n| push(&outbox, &n.to_string(), &limits)).collect();
        let mut out = Text::default();
        let closing = outbox.drain(&mut out);
        (pushed, out.0, closing, outbox.dropped())
    }

    #[test]
    fn each_policy_does_what_it_says() {
        use Pushed::{Dropped, Overflowed, Queued};
        let (pushed, out, closing, _) = fill(Overflow::Disconnect);
        assert_eq!(pushed, [Queued, Queued, Overflowed]);
        assert!(out.is_empty());
        assert_eq!(closing, Some(CloseReason::Overflow));
        let (pushed, out, closing, dropped) = fill(Overflow::DropNewest);
        assert_eq!(pushed, [Queued, Queued, Dropped]);
        assert_eq!((out, closing, dropped), (vec!["0".to_owned(), "1".to_owned()], None, 1));
        let (pushed, out, _, dropped) = fill(Overflow::DropOldest);
        assert_eq!(pushed, [Queued, Queued, Pushed::Evicted(1)]);
        assert_eq!((out, dropped), (vec!["1".to_owned(), "2".to_owned()], 1));
    }

    #[test]
    fn bytes_are_a_bound_too_and_one_giant_never_empties_the_queue_for_nothing() {
        let outbox = Outbox::new();
        let limits = Limits::default().outbox(10, 8).overflow(Overflow::DropNewest);
        assert_eq!(push(&outbox, "123456789", &limits), Pushed::Dropped);
        assert_eq!(push(&outbox, "12345678", &limits), Pushed::Queued);
        assert_eq!(push(&outbox, "1", &limits), Pushed::Dropped);
        assert_eq!(outbox.depth(), (1, 8));
        let oldest = Limits::default().outbox(10, 8).overflow(Overflow::DropOldest);
        assert_eq!(push(&outbox, "123456789", &oldest), Pushed::Dropped);
        assert_eq!(outbox.depth(), (1, 8));
    }

    #[test]
    fn a_drain_still_takes_what_running_handlers_send() {
        let outbox = Outbox::new();
        outbox.close(CloseReason::Draining);
        assert_eq!(push(&outbox, "done", &Limits::default()), Pushed::Queued);
        let mut out = Text::default();
        assert_eq!(outbox.drain(&mut out), Some(CloseReason::Draining));
        assert_eq!(out.0, ["done"]);
    }

    #[test]
    fn what_is_queued_leaves_before_the_close() {
        let outbox = Outbox::new();
        push(&outbox, "last words", &Limits::default());
        outbox.close(CloseReason::disconnected(4000, "bye"));
        outbox.close(CloseReason::Draining);
        let late = push(&outbox, "too late", &Limits::default());
        assert_eq!(late, Pushed::Closed);
        let mut out = Text::default();
        assert_eq!(outbox.drain(&mut out), Some(CloseReason::disconnected(4000, "bye")));
        assert_eq!(out.0, ["last words"]);
    }

    #[test]
    fn within_a_scope_whoever_pushes_first_sees_to_all_of_it() {
        let (outbox, limits) = (Outbox::new(), Limits::default().outbox(8, 1024));
        let push = |scope| outbox.push(OutItem::Frame(Frame::text("1")), &limits, scope).1;
        assert_eq!([push(Some(7)), push(Some(7))], [Due::Later, Due::Nothing]);
        // Another thread's scope may end earlier.
        assert_eq!(push(Some(8)), Due::Later);
        assert_eq!(push(None), Due::Now);
        // More than half full.
        assert_eq!(push(Some(8)), Due::Now);
    }

    /// A socket that is free or not, and what it got.
    #[derive(Default)]
    struct Socket {
        busy: AtomicBool,
        got: Mutex<Text>,
    }

    impl DirectWrite for Socket {
        fn write(&self, drain: &mut dyn FnMut(&mut dyn Outlet)) -> bool {
            let free = !self.busy.load(Ordering::Relaxed);
            if free {
                drain(&mut *self.got.lock().unwrap());
            }
            free
        }
    }

    #[test]
    fn a_free_socket_is_written_to_and_else_the_task_is_woken() {
        let (outbox, limits) = (Outbox::new(), Limits::default());
        let socket = Arc::new(Socket::default());
        outbox.write_through(Arc::clone(&socket) as _);
        let woken = Arc::new(Woken::default());
        let wakes = || woken.0.swap(0, Ordering::Relaxed);
        outbox.register(&Arc::clone(&woken).into());
        push(&outbox, "written", &limits);
        outbox.flush(true);
        assert_eq!((wakes(), outbox.is_empty()), (0, true));
        assert_eq!(socket.got.lock().unwrap().0, ["written"]);
        socket.busy.store(true, Ordering::Relaxed);
        push(&outbox, "waits", &limits);
        outbox.flush(true);
        assert_eq!((wakes(), outbox.is_empty()), (1, false));
        // Behind the end only the task speaks.
        socket.busy.store(false, Ordering::Relaxed);
        outbox.close(CloseReason::Draining);
        outbox.register(&Arc::clone(&woken).into());
        wakes();
        outbox.flush(true);
        assert_eq!((wakes(), outbox.depth().0), (1, 1));
        assert_eq!(socket.got.lock().unwrap().0, ["written"]);
    }

    #[test]
    fn who_is_one_too_many_for_one_turn_is_left_to_the_task() {
        let outbox = Outbox::new();
        outbox.write_through(Arc::new(Socket::default()));
        let woken = Arc::new(Woken::default());
        outbox.register(&Arc::clone(&woken).into());
        push(&outbox, "waits", &Limits::default());
        outbox.flush(false);
        assert_eq!((woken.0.load(Ordering::Relaxed), outbox.is_empty()), (1, false));
    }

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
