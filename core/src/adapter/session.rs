//! Sessions: one client's life in the core, as its adapter drives it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use super::engine::Engine;
use crate::{
    client::{Client, CloseReason, DirectSink, DirectWrite},
    message::{AckId, DecodeError, Frame, Incoming, Outlet, Payload},
    reply::Denied,
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

    /// Hands over what a door has decoded by itself, as [`receive`](Self::receive) does with a frame. The door has kept
    /// the bounds of [`Options::decode_limits`](super::Options::decode_limits). `size` is how many bytes the message holds on
    /// to, its whole frame where it is a slice of that.
    pub fn receive_decoded(
        &mut self,
        cx: &mut Context<'_>,
        decoded: Result<Incoming, DecodeError>,
        size: usize,
        out: &mut dyn Outlet,
    ) {
        self.engine().receive_decoded(cx, decoded, size, out);
    }

    /// Runs `on_connect`, for a door that tells its peer of the connect only then. What the hooks send waits in the
    /// outbox. Afterwards drive the session as ever; it ends by itself where the client was refused.
    ///
    /// # Errors
    /// What the hooks refused with.
    pub fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Denied>> {
        self.engine().poll_connected(cx)
    }

    /// Sends everything that is queued for the client to `direct`, and from now on whatever is sent to it. Only for
    /// clients whose outbox policy disconnects, see [`DirectSink`].
    pub fn attach(&mut self, direct: Arc<dyn DirectSink>) {
        self.client().attach(direct);
    }

    /// Lets what is sent to the client leave from the sender's own thread wherever the socket is free, see [`DirectWrite`].
    /// Once for a session; a second call changes nothing.
    pub fn write_through(&mut self, writer: Arc<dyn DirectWrite>) {
        self.client().inner().outbox.write_through(writer);
    }

    /// Hands over the client's answer to a request of the server, for doors that match requests and answers by
    /// themselves. An answer that nobody awaits is ignored.
    pub fn answer(&self, id: AckId, result: Result<Payload, Payload>) {
        self.client().inner().acks.complete(id, result);
    }

    /// Whether the server still awaits the answer to its request `id`.
    pub fn awaits(&self, id: AckId) -> bool {
        self.client().inner().acks.is_pending(id)
    }

    /// Whether the server awaits the answer to any request of its own: a door goes on reading then.
    pub fn awaits_any(&self) -> bool {
        self.client().inner().acks.is_waiting()
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
