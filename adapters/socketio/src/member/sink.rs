//! What leaves a member for the engine.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use narthex_core::{CloseReason, DirectSink, Frame, GroupSink, Outlet};

use super::{Member, lock};
use crate::packet::{Outbound, binary_packet, frame_packet, text_packet};

/// How long the engine keeps a request of the server; the core gives up before, and tells the task.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

impl Member {
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

    fn admits(&self, len: usize) -> bool {
        let (messages, bytes) = self.connection.backlog();
        messages < self.bounds.0 && bytes + len <= self.bounds.1
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
pub(super) struct ToEngine<'a>(pub(super) &'a Member);

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
