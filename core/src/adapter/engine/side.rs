//! Concurrent calls and streams.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use super::{Engine, Side, Work, overloaded};
use crate::{
    adapter::settle::{Answer, settle, tell},
    client::CloseReason,
    message::Outlet,
    panic::{caught, discard},
    reply::Reply,
};

/// How many items of one stream are sent before others have their turn.
const STREAM_TURN: usize = 32;

impl Engine {
    pub(super) fn poll_side(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) {
        let mut at = 0;
        while at < self.side.len() {
            let mut side = self.side.swap_remove(at);
            match &mut side.work {
                Work::Call { future, .. } => match self.poll_call(future.as_mut(), cx) {
                    Poll::Ready(reply) => {
                        discard(side.work, &self.shared.counters);
                        self.settle(reply, side.answer, cx, out);
                    }
                    Poll::Pending => self.put_back(&mut at, side),
                },
                Work::Stream(stream) => {
                    if self.poll_stream(stream.as_mut(), &mut side.answer, cx, out) {
                        side.answer.finish(&self.client, out);
                        discard(side.work, &self.shared.counters);
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
    pub(super) fn poll_stream(
        &self,
        mut stream: Pin<&mut (dyn futures_util::Stream<Item = Reply> + Send)>,
        answer: &mut Answer,
        cx: &mut Context<'_>,
        out: &mut dyn Outlet,
    ) -> bool {
        if self.gone {
            return true;
        }
        if self.client.inner().outbox.closing() == Some(CloseReason::Draining) {
            // A stream that is cut is not one that has ended.
            if answer.is_open() {
                tell(&self.client, answer, &overloaded(), out);
            }
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
}
