//! The engine of a session: order, bounds, calls and the end. No I/O and no clock.

mod calls;
mod end;
mod side;

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;

use super::{
    Shared,
    connect::Permit,
    settle::{Answer, tell},
};
use crate::{
    client::{Client, CloseReason},
    gateway::{HookEvent, Namespace, run_hooks},
    handler::Order,
    message::{AckId, DecodeError, Frame, Incoming, Message, Outlet},
    observer::Refused,
    panic::discard,
    reply::{Denied, Reply, ReplyStream},
    stats::Counters,
};

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
    /// The server wants the client gone: no further message is handled.
    leaving: bool,
    _permit: Permit,
}

enum Phase {
    Connecting(BoxFuture<'static, Result<(), Denied>>),
    Open,
    /// The refusal, until the door has taken it.
    Refused(Option<Denied>),
}

struct Running {
    future: BoxFuture<'static, Reply>,
    answer: Answer,
}

enum Held {
    /// With the bytes that it holds on to.
    Message(Message, usize),
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
            enter(&client);
            Phase::Open
        } else {
            Phase::Connecting(Box::pin(run_hooks(
                namespace.on_connect.clone(),
                HookEvent::of(&client, "connect", None),
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
            leaving: false,
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
        let decoded = self.client.wire().envelope().decode(&frame, &self.shared.limits.decode);
        // A message is a slice of its frame, so it holds on to all of it.
        self.receive_decoded(cx, decoded, frame.payload().len(), out);
    }

    pub(crate) fn receive_decoded(
        &mut self,
        cx: &mut Context<'_>,
        decoded: Result<Incoming, DecodeError>,
        size: usize,
        out: &mut dyn Outlet,
    ) {
        if matches!(self.phase, Phase::Refused(_)) {
            return;
        }
        match decoded {
            Ok(Incoming::Ack { id, result }) => self.client.inner().acks.complete(id, result),
            Ok(Incoming::Message(message)) if self.is_leaving() => self.overload(message.ack(), out),
            Ok(Incoming::Message(message)) if !self.must_wait(&message) => self.start(cx, message, out),
            Ok(Incoming::Message(message)) => self.hold(Held::Message(message, size), out),
            Err(error) => {
                Counters::add(&self.shared.counters.bad_frames);
                if self.is_busy() {
                    self.hold(Held::Unreadable(error), out);
                } else {
                    self.start_unreadable(cx, error, out);
                }
            }
        }
    }

    /// Whether the server wants this client gone. A drain handles what has come before.
    fn is_leaving(&self) -> bool {
        self.leaving || self.client.inner().outbox.is_told_to_leave()
    }

    /// A message waits for the one being handled, unless its handler has opted out of the order. Nothing goes before
    /// `on_connect`.
    fn must_wait(&self, message: &Message) -> bool {
        let opted_out =
            || self.namespace.find(message.event()).first().is_some_and(|entry| entry.order != Order::Serial);
        self.is_busy() && !(matches!(self.phase, Phase::Open) && opted_out())
    }

    fn overload(&self, ack: Option<AckId>, out: &mut dyn Outlet) {
        Counters::add(&self.shared.counters.overloaded);
        tell(&self.client, &mut Answer::new(ack), &overloaded(), out);
    }

    fn hold(&mut self, held: Held, out: &mut dyn Outlet) {
        if self.is_full() {
            let ack = match &held {
                Held::Message(message, _) => message.ack(),
                Held::Unreadable(error) => error.ack,
            };
            return self.overload(ack, out);
        }
        self.held_bytes += held.size();
        self.held.push_back(held);
    }

    pub(crate) fn poll_outbound(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) -> Poll<CloseReason> {
        self.client.inner().outbox.register(cx.waker());
        self.progress(cx, out);
        let outbox = &self.client.inner().outbox;
        let closing = if out.is_full() { outbox.closing() } else { outbox.drain(out) };
        self.leaving |= closing.is_some();
        match closing {
            Some(CloseReason::Draining) if self.is_working() => Poll::Pending,
            Some(reason) if reason == CloseReason::Overflow || !out.is_full() => {
                // The door still says goodbye; nobody else need wait for that.
                self.client.hub_inner().depart(&self.client);
                Poll::Ready(reason)
            }
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
                Poll::Ready(reply) => {
                    discard(running.future, &self.shared.counters);
                    self.settle(reply, running.answer, cx, out);
                }
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
                enter(&self.client);
                self.phase = Phase::Open;
            }
            Err(denied) => {
                Counters::add(&self.shared.counters.refused);
                denied.log();
                let refused = Refused {
                    adapter: self.client.adapter(),
                    namespace: Some(&self.namespace.pattern),
                    status: denied.kind().status(),
                };
                self.shared.observe(|observer| observer.refused(&refused));
                self.held = VecDeque::new();
                self.client.disconnect(1008, denied.message().to_owned());
                self.phase = Phase::Refused(Some(denied));
            }
        }
    }

    /// Runs `on_connect` alone.
    pub(crate) fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Denied>> {
        self.client.inner().outbox.register(cx.waker());
        self.poll_connect(cx);
        match &mut self.phase {
            Phase::Connecting(_) => Poll::Pending,
            Phase::Open => Poll::Ready(Ok(())),
            Phase::Refused(denied) => Poll::Ready(Err(denied.take().unwrap_or_else(overloaded))),
        }
    }

    fn start_held(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) {
        while self.current.is_none() && matches!(self.phase, Phase::Open) {
            if self.client.inner().outbox.is_told_to_leave() {
                // Nothing is handled any more of a client that was told to leave.
                self.held = VecDeque::new();
                self.held_bytes = 0;
                return;
            }
            let Some(held) = self.held.pop_front() else {
                // What a burst took is given back.
                self.held = VecDeque::new();
                return;
            };
            self.held_bytes -= held.size();
            match held {
                Held::Message(message, _) => self.start(cx, message, out),
                Held::Unreadable(error) => self.start_unreadable(cx, error, out),
            }
        }
    }
}

impl Held {
    fn size(&self) -> usize {
        match self {
            Self::Message(_, size) => *size,
            Self::Unreadable(_) => 0,
        }
    }
}

/// From now on the client is there for others.
fn enter(client: &Client) {
    client.inner().set_connected();
    client.hub_inner().observe(|observer| observer.connected(client));
}

fn overloaded() -> Denied {
    Denied::overloaded()
}
