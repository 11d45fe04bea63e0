//! Sessions: one client's life in the core, as its adapter drives it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use super::engine::Engine;
use crate::{
    client::{Client, CloseReason},
    message::{Frame, Outlet},
};

/// One client's life in the core, as its adapter drives it.
///
/// An adapter whose frames come as a stream and leave through a sink uses [`pump`](Self::pump). One that batches uses
/// the poll-level methods: hand over all frames of one read, then take everything that is ready for one write.
///
/// ```text
/// loop {
///     while session.accepts_input() and there is a frame { session.receive(cx, frame, &mut out) }
///     if let Ready(reason) = session.poll_outbound(cx, &mut out) { write out, say goodbye, return reason }
///     write out in one go; wait for the socket or for a wake
/// }
/// ```
pub struct Session {
    engine: Option<Box<Engine>>,
    /// Where the engine goes when the carrier is done with it.
    slot: Arc<Mutex<Option<Box<Engine>>>>,
}

impl Session {
    pub(crate) fn new(engine: Box<Engine>, slot: Arc<Mutex<Option<Box<Engine>>>>) -> Self {
        Self { engine: Some(engine), slot }
    }

    fn engine(&mut self) -> &mut Engine {
        match &mut self.engine {
            Some(engine) => engine,
            None => unreachable!("the engine leaves only when the session is dropped"),
        }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        match &self.engine {
            Some(engine) => engine.client(),
            None => unreachable!("the engine leaves only when the session is dropped"),
        }
    }

    /// Whether more frames may be handed over. While it is `false`, stop reading: what runs, or what is held, must
    /// be done first. The session wakes its task when that changes.
    pub fn accepts_input(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.accepts_input())
    }

    /// Hands over one frame. A handler that is ready at once has run when this returns, and its reply is in `out`.
    ///
    /// A frame handed over while [`accepts_input`](Self::accepts_input) is `false` is answered `Overloaded`.
    pub fn receive(&mut self, cx: &mut Context<'_>, frame: Frame, out: &mut dyn Outlet) {
        self.engine().receive(cx, frame, out);
    }

    /// Runs what can run and writes everything that is ready into `out`.
    ///
    /// `Ready` when the session wants the end: write what is in `out`, tell the peer, and return the reason.
    /// `Pending` wakes the task when there is more.
    pub fn poll_outbound(&mut self, cx: &mut Context<'_>, out: &mut dyn Outlet) -> Poll<CloseReason> {
        self.engine().poll_outbound(cx, out)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.take();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
