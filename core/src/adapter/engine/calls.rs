//! Calls: from a message to its reply.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Engine, Running, Side, Work, overloaded};
use crate::{
    adapter::settle::{Answer, settle, tell},
    client::Params,
    extract::{Call, Event, Origin, Unreadable},
    gateway::{Entry, Found},
    handler::Order,
    message::{DecodeError, EventName, Message, Outlet, Payload},
    panic::{caught, discard},
    reply::{AckState, Denied, DeniedKind, Reply},
    stats::Counters,
};

impl Engine {
    /// Starts one message: polls its call in place once, and keeps it where it is pending.
    pub(super) fn start(&mut self, cx: &mut Context<'_>, message: Message, out: &mut dyn Outlet) {
        let found = self.namespace.find(message.event());
        let mut answer = Answer::new(message.ack());
        if message.ack().is_some() && found.takes_ack() {
            answer.share();
        }
        if found.first().is_some_and(|entry| entry.order != Order::Serial) {
            return self.start_beside(cx, message, answer, out);
        }
        match self.call(&found, message, answer.shared()) {
            Ok(future) => self.run(cx, future, answer, None, out),
            Err(denied) => tell(&self.client, &mut answer, &denied, out),
        }
    }

    /// Starts a message whose handler has opted out of the order, where there is room for it.
    fn start_beside(
        &mut self,
        cx: &mut Context<'_>,
        message: Message,
        mut answer: Answer,
        out: &mut dyn Outlet,
    ) {
        let namespace = Arc::clone(&self.namespace);
        let found = namespace.find(message.event());
        let (order, id) = found.first().map_or((Order::Serial, 0), |entry| (entry.order, entry.id));
        if let Some(denied) = self.make_room(order, id, out) {
            return self.refuse(cx, found.first(), message, (answer, denied), out);
        }
        match self.call(&found, message, answer.shared()) {
            Ok(future) => self.run(cx, future, answer, Some(id), out),
            Err(denied) => tell(&self.client, &mut answer, &denied, out),
        }
    }

    /// Answers a message that there is no room for, behind the layers of the server and the gateway, which may want to count it.
    fn refuse(
        &mut self,
        cx: &mut Context<'_>,
        entry: Option<&Entry>,
        message: Message,
        (mut answer, denied): (Answer, Denied),
        out: &mut dyn Outlet,
    ) {
        let begin = || {
            let (entry, (call, matched)) = entry.and_then(|entry| Some((entry, entry.refused.as_ref()?)))?;
            Some(call(Event { matched: Arc::clone(matched), ..self.event(entry, message, None) }))
        };
        // Layers that panic, or that wait, have no say in it.
        let called = catch_unwind(AssertUnwindSafe(begin)).unwrap_or_default();
        let polled = called.map(|mut call| (self.poll_call(call.as_mut(), cx), call));
        match polled {
            Some((Poll::Ready(reply), call)) => {
                discard(call, &self.shared.counters);
                self.settle(reply, answer, cx, out);
            }
            waiting => {
                discard(waiting, &self.shared.counters);
                tell(&self.client, &mut answer, &denied, out);
            }
        }
    }

    /// Answers a frame that could not be read, behind the layers, which may want to count it.
    pub(super) fn start_unreadable(
        &mut self,
        cx: &mut Context<'_>,
        error: DecodeError,
        out: &mut dyn Outlet,
    ) {
        let mut answer = Answer::new(error.ack);
        let message = Message::new(EventName::from_static(""), Payload::Empty).with_ack(error.ack);
        let namespace = Arc::clone(&self.namespace);
        let Found::Plain([entry, ..]) = namespace.unreadable() else { return };
        let mut event = self.event(entry, message, None);
        event.extensions_mut().insert(Unreadable(error));
        let begun = catch_unwind(AssertUnwindSafe(|| (entry.call)(event)));
        match begun.map_err(|panic| caught("a layer", &*panic, &self.shared.counters)) {
            Ok(future) => self.run(cx, future, answer, None, out),
            Err(denied) => tell(&self.client, &mut answer, &denied, out),
        }
    }

    /// Polls a call in place once, and keeps it where it is pending: beside the others of handlers with this id, or
    /// before all later messages.
    fn run(
        &mut self,
        cx: &mut Context<'_>,
        mut future: BoxFuture<'static, Reply>,
        answer: Answer,
        beside: Option<usize>,
        out: &mut dyn Outlet,
    ) {
        match (self.poll_call(future.as_mut(), cx), beside) {
            (Poll::Ready(reply), _) => {
                discard(future, &self.shared.counters);
                self.settle(reply, answer, cx, out);
            }
            (Poll::Pending, None) => self.current = Some(Running { future, answer }),
            (Poll::Pending, Some(id)) => self.side.push(Side { work: Work::Call { future, id }, answer }),
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
                    discard(dropped.work, &self.shared.counters);
                }
            }
            Order::Concurrent(n) if self.side.iter().filter(|side| same(side)).count() >= n => {
                Counters::add(&self.shared.counters.overloaded);
                return Some(overloaded());
            }
            _ => {}
        }
        if self.side_is_full() {
            Counters::add(&self.shared.counters.overloaded);
            return Some(overloaded());
        }
        None
    }

    fn side_is_full(&self) -> bool {
        self.side.len() >= self.shared.limits.side_tasks
    }

    fn call(
        &self,
        found: &Found<'_>,
        message: Message,
        ack: Option<&Arc<AckState>>,
    ) -> Result<BoxFuture<'static, Reply>, Denied> {
        let event = |entry: &Entry, message, params| Event {
            shared_ack: ack.cloned(),
            ..self.event(entry, message, params)
        };
        // A stack may panic before it gives its future.
        let begin = AssertUnwindSafe(|| match found {
            Found::Plain([entry]) => (entry.call)(event(entry, message, None)),
            Found::Plain(entries) => {
                let all = entries.iter().map(|entry| (entry.clone(), None)).collect();
                self.call_all(all, |entry| event(entry, message, None))
            }
            Found::Params(entries) => match entries.as_slice() {
                [(entry, params)] => (entry.call)(event(entry, message, params.clone())),
                all => self.call_all(all.into(), |entry| event(entry, message, None)),
            },
        });
        catch_unwind(begin).map_err(|panic| caught("a layer", &*panic, &self.shared.counters))
    }

    /// Several gateways are for the event: behind the server's layers all are called, in registration order.
    fn call_all(
        &self,
        all: Arc<[(Entry, Option<Params>)]>,
        event: impl FnOnce(&Entry) -> Event,
    ) -> BoxFuture<'static, Reply> {
        let Some((first, _)) = all.first() else { return Box::pin(async { Reply::none() }) };
        let mut event = event(first);
        let counters = Arc::clone(&self.shared.counters);
        let each: Call = Arc::new({
            let all = Arc::clone(&all);
            move |event| Box::pin(call_each(Arc::clone(&all), event, Arc::clone(&counters)))
        });
        event.matched = Arc::new(event.matched.instead(Arc::clone(&each)));
        self.namespace.layers().cloned().unwrap_or(each)(event)
    }

    fn event(&self, entry: &Entry, message: Message, params: Option<Params>) -> Event {
        Event {
            message,
            origin: Origin::Client(self.client.clone()),
            extensions: http::Extensions::new(),
            matched: Arc::clone(&entry.matched),
            params,
            shared_ack: None,
            manual: None,
            reason: None,
        }
    }

    pub(super) fn poll_call(
        &self,
        future: Pin<&mut (dyn Future<Output = Reply> + Send)>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        catch_unwind(AssertUnwindSafe(|| future.poll(cx))).unwrap_or_else(|panic| {
            Poll::Ready(Reply::error(caught("a handler", &*panic, &self.shared.counters)))
        })
    }

    pub(super) fn settle(
        &mut self,
        reply: Reply,
        mut answer: Answer,
        cx: &mut Context<'_>,
        out: &mut dyn Outlet,
    ) {
        let streams = settle(&self.client, reply, &mut answer, out);
        for mut stream in streams {
            if self.gone {
                discard(stream, &self.shared.counters);
                continue;
            }
            if self.side_is_full() {
                Counters::add(&self.shared.counters.overloaded);
                tell(&self.client, &mut answer, &overloaded(), out);
                discard(stream, &self.shared.counters);
                continue;
            }
            // What is ready leaves before the reply to the next message.
            let mut answer = answer.hand_over();
            if self.poll_stream(stream.as_mut(), &mut answer, cx, out) {
                answer.finish(&self.client, out);
                discard(stream, &self.shared.counters);
            } else {
                self.side.push(Side { work: Work::Stream(stream), answer });
            }
        }
        answer.finish(&self.client, out);
    }
}

/// Calls the gateways that an event is for, one after another. One's panic does not take the others' replies away.
async fn call_each(all: Arc<[(Entry, Option<Params>)]>, event: Event, counters: Arc<Counters>) -> Reply {
    let mut replies = Vec::with_capacity(all.len());
    for (entry, params) in all.iter() {
        let Some(call) = &entry.matched.gateway else { continue };
        let event = Event { matched: Arc::clone(&entry.matched), params: params.clone(), ..event.clone() };
        let reply = AssertUnwindSafe(async { call(event).await }).catch_unwind().await;
        replies.push(reply.unwrap_or_else(|panic| Reply::error(caught("a handler", &*panic, &counters))));
    }
    Reply::many(replies)
}
