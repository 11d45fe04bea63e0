//! The engine of a session: order, bounds, calls and the end. No I/O and no clock.

use std::{
    collections::VecDeque,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{
    Shared,
    connect::Permit,
    settle::{Answer, settle, tell},
};
use crate::{
    client::{Client, CloseReason, Params},
    extract::Event,
    gateway::{Entry, Found, HookEvent, Namespace, run_hooks},
    handler::Order,
    message::{DecodeError, DecodeErrorKind, Frame, Incoming, Message, Outlet},
    panic::caught,
    reply::{Denied, DeniedKind, Reply, ReplyStream},
    stats::Counters,
};

/// How many items of one stream are sent before others have their turn.
const STREAM_TURN: usize = 32;

/// How long `on_disconnect` may still run when the drain's time is over.
const LAST_HOOK: Duration = Duration::from_secs(1);

pub(crate) struct Engine {
    client: Client,
    namespace: Arc<Namespace>,
    shared: Arc<Shared>,
    phase: Phase,
    /// The call that later messages wait for.
    current: Option<Running>,
    held: VecDeque<Held>,
    held_bytes: usize,
    /// Concurrent calls and streams.
    side: Vec<Side>,
    /// The carrier is gone: replies have nowhere to go, streams stop.
    gone: bool,
    _permit: Permit,
}

enum Phase {
    Connecting(BoxFuture<'static, Result<(), Denied>>),
    Open,
    Refused,
}

struct Running {
    future: BoxFuture<'static, Reply>,
    answer: Answer,
}

enum Held {
    Message(Message),
    Unreadable(DecodeError),
}

struct Side {
    work: Work,
    answer: Answer,
}

enum Work {
    Call { future: BoxFuture<'static, Reply>, id: usize },
    Stream(ReplyStream),
}

impl Engine {
    pub(crate) fn new(
        client: Client,
        namespace: Arc<Namespace>,
        shared: Arc<Shared>,
        permit: Permit,
    ) -> Box<Self> {
        client.hub_inner().arrive(&client);
        let phase = if namespace.on_connect.is_empty() {
            client.inner().set_connected();
            Phase::Open
        } else {
            Phase::Connecting(Box::pin(run_hooks(
                namespace.on_connect.clone(),
                hook_event(&client, "connect", None),
            )))
        };
        if shared.draining.is_cancelled() {
            client.inner().outbox.close(CloseReason::Draining);
        }
        Box::new(Self {
            client,
            namespace,
            shared,
            phase,
            current: None,
            held: VecDeque::new(),
            held_bytes: 0,
            side: Vec::new(),
            gone: false,
            _permit: permit,
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn is_busy(&self) -> bool {
        self.current.is_some() || !self.held.is_empty() || !matches!(self.phase, Phase::Open)
    }

    fn is_full(&self) -> bool {
        let limits = &self.shared.limits;
        self.held.len() >= limits.held_messages || self.held_bytes >= limits.held_bytes
    }

    /// Full with a request of the server pending, the door goes on reading: the answer may be behind.
    pub(crate) fn accepts_input(&self) -> bool {
        !self.is_full() || self.client.inner().acks.is_waiting()
    }

    pub(crate) fn receive(&mut self, cx: &mut Context<'_>, frame: Frame, out: &mut dyn Outlet) {
        if matches!(self.phase, Phase::Refused) {
            return;
        }
        match self.client.wire().envelope().decode(&frame, &self.shared.limits.decode) {
            Ok(Incoming::Ack { id, result }) => self.client.inner().acks.complete(id, result),
            Ok(Incoming::Message(message)) if !self.is_busy() => self.start(cx, message, out),
            Ok(Incoming::Message(message)) => self.hold(Held::Message(message), out),
            Err(error) => {
                Counters::add(&self.shared.counters.bad_frames);
                if self.is_busy() {
                    self.hold(Held::Unreadable(error), out);
                } else {
                    self.unreadable(&error, out);
                }
            }
        }
    }

    fn hold(&mut self, held: Held, out: &mut dyn Outlet) {
        if self.is_full() {
            Counters::add(&self.shared.counters.overloaded);
            let ack = match &held {
                Held::Message(message) => message.ack(),
                Held::Unreadable(error) => error.ack,
            };
            return tell(&self.client, &mut Answer::new(ack), &overloaded(), out);
        }
        self.held_bytes += held.size();
        self.held.push_back(held);
    }

    fn unreadable(&self, error: &DecodeError, out: &mut dyn Outlet) {
        let kind = match error.kind {
            DecodeErrorKind::TooDeep => DeniedKind::TooLarge,
            _ => DeniedKind::BadRequest,
        };
        tell(&self.client, &mut Answer::new(error.ack), &Denied::new(kind, error.message), out);
    }

    /// Starts one message: polls its call in place once, and keeps it where it is pending.
    fn start(&mut self, cx: &mut Context<'_>, message: Message, out: &mut dyn Outlet) {
        let mut answer = Answer::new(message.ack());
        let namespace = Arc::clone(&self.namespace);
        let found = namespace.find(message.event());
        let (order, id) = found.first().map_or((Order::Serial, 0), |entry| (entry.order, entry.id));
        if order != Order::Serial
            && let Some(denied) = self.make_room(order, id, out)
        {
            return tell(&self.client, &mut answer, &denied, out);
        }
        let mut future = match self.call(&found, message) {
            Ok(future) => future,
            Err(denied) => return tell(&self.client, &mut answer, &denied, out),
        };
        match self.poll_call(future.as_mut(), cx) {
            Poll::Ready(reply) => self.settle(reply, answer, out),
            Poll::Pending if order == Order::Serial => self.current = Some(Running { future, answer }),
            Poll::Pending => self.side.push(Side { work: Work::Call { future, id }, answer }),
        }
    }

    /// Makes room for one more concurrent call, or says why there is none.
    fn make_room(&mut self, order: Order, id: usize, out: &mut dyn Outlet) -> Option<Denied> {
        let same = |side: &Side| matches!(side.work, Work::Call { id: other, .. } if other == id);
        match order {
            Order::Latest => {
                if let Some(at) = self.side.iter().position(same) {
                    let mut dropped = self.side.swap_remove(at);
                    let denied = Denied::new(DeniedKind::Conflict, "Superseded by a newer message");
                    tell(&self.client, &mut dropped.answer, &denied, out);
                }
            }
            Order::Concurrent(n) if self.side.iter().filter(|side| same(side)).count() >= n => {
                Counters::add(&self.shared.counters.overloaded);
                return Some(overloaded());
            }
            _ => {}
        }
        self.side_is_full().then(overloaded)
    }

    fn side_is_full(&self) -> bool {
        self.side.len() >= self.shared.limits.side_tasks
    }

    fn call(&self, found: &Found<'_>, message: Message) -> Result<BoxFuture<'static, Reply>, Denied> {
        // A stack may panic before it gives its future.
        let begin = AssertUnwindSafe(|| match found {
            Found::Plain([entry]) => (entry.call)(self.event(entry, message, None)),
            Found::Plain(entries) => {
                self.call_all(entries.iter().map(|entry| (entry.clone(), None)).collect(), message)
            }
            Found::Params(entries) => match entries.as_slice() {
                [(entry, params)] => (entry.call)(self.event(entry, message, params.clone())),
                _ => self.call_all(entries.clone(), message),
            },
        });
        catch_unwind(begin).map_err(|panic| caught("a layer", &*panic, &self.shared.counters))
    }

    /// Several gateways are for the event: all are called, in registration order.
    fn call_all(&self, entries: Vec<(Entry, Option<Params>)>, message: Message) -> BoxFuture<'static, Reply> {
        let calls = entries.into_iter().map(|(entry, params)| {
            let event = self.event(&entry, message.clone(), params);
            (entry.call, event)
        });
        let calls: Vec<_> = calls.collect();
        Box::pin(async move {
            let mut replies = Vec::with_capacity(calls.len());
            for (call, event) in calls {
                replies.push(call(event).await);
            }
            Reply::many(replies)
        })
    }

    fn event(&self, entry: &Entry, message: Message, params: Option<Params>) -> Event {
        Event {
            message,
            client: Some(self.client.clone()),
            handshake: Arc::clone(self.client.handshake_arc()),
            hub: Arc::clone(self.client.hub_inner()),
            extensions: http::Extensions::new(),
            matched: Arc::clone(&entry.matched),
            params,
            manual: None,
            reason: None,
        }
    }

    fn poll_call(
        &self,
        future: Pin<&mut (dyn Future<Output = Reply> + Send)>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        catch_unwind(AssertUnwindSafe(|| future.poll(cx))).unwrap_or_else(|panic| {
            Poll::Ready(Reply::error(caught("a handler", &*panic, &self.shared.counters)))
        })
    }

    fn settle(&mut self, reply: Reply, mut answer: Answer, out: &mut dyn Outlet) {
        let streams = settle(&self.client, reply, &mut answer, out);
        for stream in streams {
            if self.gone {
                continue;
            }
            if self.side_is_full() {
                Counters::add(&self.shared.counters.overloaded);
                tell(&self.client, &mut answer, &overloaded(), out);
            } else {
                self.side.push(Side { work: Work::Stream(stream), answer: answer.hand_over() });
            }
        }
        answer.finish(&self.client, out);
    }

    pub(crate) fn poll_outbound(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) -> Poll<CloseReason> {
        self.client.inner().outbox.register(cx.waker());
        self.progress(cx, out);
        let outbox = &self.client.inner().outbox;
        let closing = if out.is_full() { outbox.closing() } else { outbox.drain(out) };
        match closing {
            Some(CloseReason::Draining) if self.is_working() => Poll::Pending,
            Some(reason) if reason == CloseReason::Overflow || !out.is_full() => Poll::Ready(reason),
            _ => Poll::Pending,
        }
    }

    /// Whether something runs that a drain waits for. Streams are not waited for.
    fn is_working(&self) -> bool {
        let connecting = matches!(self.phase, Phase::Connecting(_));
        let calls = self.side.iter().any(|side| matches!(side.work, Work::Call { .. }));
        connecting
            || calls
            || self.current.is_some()
            || (!self.held.is_empty() && matches!(self.phase, Phase::Open))
    }

    fn progress(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) {
        self.poll_connect(cx);
        if let Some(mut running) = self.current.take() {
            match self.poll_call(running.future.as_mut(), cx) {
                Poll::Pending => self.current = Some(running),
                Poll::Ready(reply) => self.settle(reply, running.answer, out),
            }
        }
        self.start_held(cx, out);
        self.poll_side(cx, out);
    }

    fn poll_connect(&mut self, cx: &mut Context<'_>) {
        let Phase::Connecting(hooks) = &mut self.phase else { return };
        let Poll::Ready(verdict) = hooks.as_mut().poll(cx) else { return };
        match verdict {
            Ok(()) => {
                self.client.inner().set_connected();
                self.phase = Phase::Open;
            }
            Err(denied) => {
                Counters::add(&self.shared.counters.refused);
                log(&denied);
                self.phase = Phase::Refused;
                self.held = VecDeque::new();
                self.client.disconnect(1008, denied.message().to_owned());
            }
        }
    }

    fn start_held(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) {
        while self.current.is_none() && matches!(self.phase, Phase::Open) {
            let Some(held) = self.held.pop_front() else {
                // What a burst took is given back.
                self.held = VecDeque::new();
                return;
            };
            self.held_bytes -= held.size();
            match held {
                Held::Message(message) => self.start(cx, message, out),
                Held::Unreadable(error) => self.unreadable(&error, out),
            }
        }
    }

    fn poll_side(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) {
        let mut at = 0;
        while at < self.side.len() {
            let mut side = self.side.swap_remove(at);
            match &mut side.work {
                Work::Call { future, .. } => match self.poll_call(future.as_mut(), cx) {
                    Poll::Ready(reply) => self.settle(reply, side.answer, out),
                    Poll::Pending => self.put_back(&mut at, side),
                },
                Work::Stream(stream) => {
                    if self.poll_stream(stream.as_mut(), &mut side.answer, cx, out) {
                        side.answer.finish(&self.client, out);
                    } else {
                        self.put_back(&mut at, side);
                    }
                }
            }
        }
        if self.side.is_empty() {
            self.side = Vec::new();
        }
    }

    /// Puts unfinished work back in its place, and goes on to the next.
    fn put_back(&mut self, at: &mut usize, side: Side) {
        self.side.push(side);
        let last = self.side.len() - 1;
        self.side.swap(*at, last);
        *at += 1;
    }

    /// Sends what a stream has ready; `true` when it has ended.
    fn poll_stream(
        &self,
        mut stream: Pin<&mut (dyn futures_util::Stream<Item = Reply> + Send)>,
        answer: &mut Answer,
        cx: &mut Context<'_>,
        out: &mut dyn Outlet,
    ) -> bool {
        if self.gone || self.client.inner().outbox.closing() == Some(CloseReason::Draining) {
            return true;
        }
        for _ in 0..STREAM_TURN {
            if out.is_full() {
                // The carrier polls again when it has written.
                return false;
            }
            let polled = catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll_next(cx)));
            match polled {
                Ok(Poll::Pending) => return false,
                Ok(Poll::Ready(None)) => return true,
                Ok(Poll::Ready(Some(item))) => {
                    let ends = item.ends_stream();
                    // A stream in a stream has no place; its items would have no order.
                    drop(settle(&self.client, item, answer, out));
                    if ends {
                        return true;
                    }
                }
                Err(panic) => {
                    let denied = caught("a stream", &*panic, &self.shared.counters);
                    tell(&self.client, answer, &denied, out);
                    return true;
                }
            }
        }
        cx.waker().wake_by_ref();
        false
    }

    /// The end: rooms are left at once, what runs runs to its end, then `on_disconnect`.
    pub(crate) async fn finish(mut self: Box<Self>, reason: CloseReason) {
        self.gone = true;
        let inner = self.client.inner();
        inner.outbox.shut();
        inner.acks.close();
        self.client.hub_inner().depart(&self.client);
        self.side.retain(|side| matches!(side.work, Work::Call { .. }));
        let killed = self.shared.killed.clone();
        let rest = poll_fn(|cx| {
            self.progress(cx, &mut Nowhere);
            if self.is_working() { Poll::Pending } else { Poll::Ready(()) }
        });
        tokio::select! {
            biased;
            () = rest => {}
            () = killed.cancelled() => {}
        }
        if matches!(self.phase, Phase::Open) && !self.namespace.on_disconnect.is_empty() {
            let event = hook_event(&self.client, "disconnect", Some(reason));
            let (namespace, shared) = (Arc::clone(&self.namespace), Arc::clone(&self.shared));
            let Self { _permit: permit, .. } = *self;
            run_last_hooks(&namespace, &shared, event).await;
            drop(permit);
        }
    }
}

/// Every hook runs, whatever the others do.
async fn run_last_hooks(namespace: &Namespace, shared: &Shared, event: HookEvent) {
    let hooks = async {
        for hook in &namespace.on_disconnect {
            if let Err(denied) = run_hooks(vec![hook.clone()], event.clone()).await {
                log(&denied);
            }
        }
    };
    let too_late = async {
        shared.killed.cancelled().await;
        tokio::time::sleep(LAST_HOOK).await;
    };
    tokio::select! {
        biased;
        () = hooks => {}
        () = too_late => tracing::warn!("on_disconnect did not end in time"),
    }
}

impl Held {
    fn size(&self) -> usize {
        match self {
            Self::Message(message) => message.size(),
            Self::Unreadable(_) => 0,
        }
    }
}

fn overloaded() -> Denied {
    Denied::new(DeniedKind::Overloaded, "Overloaded")
}

/// What a client is not told is logged.
pub(super) fn log(denied: &Denied) {
    if denied.kind() == DeniedKind::Internal {
        match denied.source() {
            Some(source) => tracing::error!(error = %source, "a call failed"),
            None => tracing::error!("a call failed"),
        }
    }
}

fn hook_event(client: &Client, name: &'static str, reason: Option<CloseReason>) -> HookEvent {
    HookEvent {
        name,
        client: Some(client.clone()),
        handshake: Arc::clone(client.handshake_arc()),
        hub: Arc::clone(client.hub_inner()),
        reason,
    }
}

/// Where replies to a client that is gone are written.
struct Nowhere;

impl Outlet for Nowhere {
    fn text(&mut self, _: &[u8]) {}
    fn binary(&mut self, _: &[u8]) {}
    fn framed(&mut self, _: &Bytes) {}
}
