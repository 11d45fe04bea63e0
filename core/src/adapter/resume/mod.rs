//! Sessions that outlive their carrier.

mod carrier;
mod inbound;
mod options;
mod ring;
mod run;
mod times;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use futures_util::task::AtomicWaker;
use tokio::{sync::Notify, time::Instant};

pub use self::{
    carrier::{Carrier, CarrierItem},
    options::ResumeOptions,
    ring::Carried,
};
use self::{inbound::Inbound, ring::Ring};
use crate::{
    client::{ClientId, CloseReason},
    message::Frame,
};

/// A session that outlives its carrier: what the peer has not confirmed is kept, and another carrier goes on with it
/// within the grace time. A cheap clone for each who needs it.
///
/// ```text
/// the session's task     resumable.run(session).await                  its whole life
/// each carrier           resumable.attach(last_seen)?.poll_next(cx)    numbered frames, from 1
/// what the peer sends    resumable.receive(first, frames)?             numbered too, from 1
/// ```
#[derive(Clone)]
pub struct Resumable(Arc<Inner>);

struct Inner {
    options: ResumeOptions,
    state: Mutex<State>,
    /// The session's task.
    task: AtomicWaker,
    /// Who waits for room in `inbound`.
    room: Notify,
}

#[derive(Default)]
struct State {
    ring: Ring,
    inbound: Inbound,
    /// There once the session runs.
    client: Option<ClientId>,
    /// Counts the carriers; the last one is the session's.
    turn: u64,
    /// The last carrier that was cut off.
    cut: u64,
    attached: bool,
    /// When the carrier last took a frame, or had taken all.
    moved: Option<Instant>,
    /// The carrier's task.
    reader: Option<Waker>,
    /// The session waits until the ring has room.
    wants_room: bool,
    /// The peer said goodbye: the session ends with this, after what is in `inbound`.
    leaving: Option<CloseReason>,
    /// The session has ended.
    end: Option<CloseReason>,
}

impl State {
    fn set_reader(&mut self, waker: &Waker) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    fn is_full(&self, options: &ResumeOptions) -> bool {
        let (messages, bytes) = self.ring.room(self.attached, options);
        messages == 0 || bytes == 0
    }

    /// Keeps the ring's bounds, and says whether the session can go on that has waited for it.
    fn settle_room(&mut self, options: &ResumeOptions) -> bool {
        self.ring.trim(options);
        let room = self.wants_room && !self.is_full(options);
        self.wants_room &= !room;
        room
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of a user runs under this lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a frame of the peer would be refused for now.
    fn is_full(&self) -> bool {
        let state = self.lock();
        state.end.is_none() && state.inbound.is_full(&self.options)
    }
}

/// Why a carrier cannot go on with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The peer says that it has seen what was never sent.
    #[error("the number lies beyond what was sent")]
    Ahead,
    /// Frames that the peer has not seen are not kept any more.
    #[error("what followed that number is not kept any more")]
    Lost,
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
}

/// Why frames of the peer were not taken. None of the batch was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Frames before them are missing.
    #[error("frames are missing from number {expect} on")]
    Gap {
        /// The number that comes next.
        expect: u64,
    },
    /// Too much waits to be handled: try again later.
    #[error("too much waits to be handled")]
    Full,
    /// The session has ended, or the peer has said goodbye.
    #[error("the session has ended")]
    Ended,
}

impl Resumable {
    /// The session's client, once [`run`](Self::run) has begun.
    pub fn client(&self) -> Option<ClientId> {
        self.0.lock().client
    }

    /// A session that has neither a carrier nor a client yet.
    pub fn new(options: ResumeOptions) -> Self {
        Self(Arc::new(Inner {
            options,
            state: Mutex::default(),
            task: AtomicWaker::new(),
            room: Notify::new(),
        }))
    }

    /// Goes on with the session on a new carrier. One that is there is superseded.
    ///
    /// `last_seen` is the number of the last frame that the peer has read, 0 where it has read none. It confirms all
    /// frames up to it.
    ///
    /// # Errors
    /// The session is as it was, with its carrier. See [`AttachError`].
    pub fn attach(&self, last_seen: u64) -> Result<Carrier, AttachError> {
        let mut state = self.0.lock();
        if state.end.is_some() {
            return Err(AttachError::Ended);
        }
        state.ring.rewind(last_seen)?;
        state.turn += 1;
        state.attached = true;
        state.moved = Some(Instant::now());
        let (turn, superseded) = (state.turn, state.reader.take());
        drop(state);
        if let Some(superseded) = superseded {
            superseded.wake();
        }
        self.0.task.wake();
        Ok(Carrier::new(Arc::clone(&self.0), turn))
    }

    /// Takes frames of the peer, the first of which has the number `first`, and says which was the last one taken.
    ///
    /// Those that were taken before are dropped.
    ///
    /// # Errors
    /// Nothing was taken. See [`ReceiveError`].
    pub fn receive(&self, first: u64, frames: Vec<Frame>) -> Result<u64, ReceiveError> {
        let mut state = self.0.lock();
        if state.end.is_some() || state.leaving.is_some() {
            return Err(ReceiveError::Ended);
        }
        let last = state.inbound.receive(first, frames, &self.0.options)?;
        drop(state);
        self.0.task.wake();
        Ok(last)
    }

    /// Done when frames may be received again, or the session has ended. Cancel safe.
    pub async fn has_room(&self) {
        loop {
            let mut room = std::pin::pin!(self.0.room.notified());
            // Before the look, so that no change in between is missed.
            room.as_mut().enable();
            let full = self.0.is_full();
            if !full {
                return;
            }
            room.await;
        }
    }

    /// Forgets the frames up to `last_seen`: the peer has read them. A number that was never sent confirms nothing.
    pub fn confirm(&self, last_seen: u64) {
        let mut state = self.0.lock();
        state.ring.confirm(last_seen);
        let room = state.settle_room(&self.0.options);
        drop(state);
        if room {
            self.0.task.wake();
        }
    }

    /// Ends the session, after what was received. The first reason wins.
    pub fn leave(&self, reason: CloseReason) {
        self.0.lock().leaving.get_or_insert(reason);
        self.0.task.wake();
    }

    /// Ends a session that nobody [runs](Self::run); its carrier is told. Nothing happens to one that has ended.
    pub fn abandon(&self, reason: CloseReason) {
        self.0.end(reason);
    }

    /// Whether the session has ended.
    pub fn is_ended(&self) -> bool {
        self.0.lock().end.is_some()
    }
}

impl fmt::Debug for Resumable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Resumable")
            .field("client", &state.client)
            .field("attached", &state.attached)
            .field("end", &state.end)
            .finish_non_exhaustive()
    }
}
