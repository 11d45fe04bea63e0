//! Doors whose transport queues frames by itself.

use std::sync::Arc;

use super::ClientId;
use crate::message::{Frame, Outlet};

/// One client's way to its socket for whoever sends: what is sent leaves at once, from the sender's own thread, and the
/// client's task is not woken for it.
///
/// [`Session::write_through`](crate::Session::write_through) puts it in. The outbox stays in front of it: its bounds hold,
/// and what the socket does not take waits there. Its methods MUST NOT block, nor call into the core.
pub trait DirectWrite: Send + Sync + 'static {
    /// Writes what `drain` gives behind everything that was written before.
    ///
    /// `false` where the client's task is to do it, because it is at work on the connection just now, or because
    /// something still waits for the socket: then `drain` has not been called, or the task writes what is left.
    fn write(&self, drain: &mut dyn FnMut(&mut dyn Outlet)) -> bool;
}

/// One client's way past its outbox, for a door whose transport has a queue of its own.
///
/// Once [`Session::attach`](crate::Session::attach) has put it in, everything that is sent to the client goes straight
/// to it, in order, and the client's task is not woken. It bounds what it queues; over its bound the client is
/// disconnected, so a door attaches none where the [`Overflow`](crate::Overflow) policy drops messages.
///
/// Its methods are called with locks of the core held: they MUST NOT block, nor call into the core.
pub trait DirectSink: Send + Sync + 'static {
    /// Takes one frame; `false` where it is over its bound or gone.
    fn send(&self, frame: &Frame) -> bool;

    /// Counts one frame of so many bytes that the [`GroupSink`] is about to deliver; `false` where the client is over its
    /// bound.
    fn reserve(&self, len: usize) -> bool;

    /// How many messages and bytes wait.
    fn backlog(&self) -> (usize, usize);

    /// The client is in a room from now on; `None` is the whole namespace.
    fn join(&self, room: Option<&str>);

    /// The client is in the room no more.
    fn leave(&self, room: Option<&str>);

    /// What delivers to many clients of the door at once.
    fn group(&self) -> &Arc<dyn GroupSink>;
}

/// Delivers one frame to many clients of a door and a namespace: a broadcast is encoded and handed over once.
///
/// Its methods are called with locks of the core held: they MUST NOT block, nor call into the core.
pub trait GroupSink: Send + Sync + 'static {
    /// Delivers to all clients whose [`DirectSink`] has joined `room` (`None`: the namespace), but one.
    fn broadcast(&self, room: Option<&str>, except: Option<ClientId>, frame: &Frame);
}
