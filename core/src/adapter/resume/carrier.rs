//! One carrier of a session: it takes numbered frames until it is replaced, or the session ends.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{Carried, Inner};
use crate::client::{ClientId, CloseReason};

/// What a carrier is given, in this order: `Open`, any number of frames, then `Ended`, `Superseded` or `Stalled`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CarrierItem {
    /// The session runs.
    Open {
        /// Its client.
        client: ClientId,
        /// The number of the last frame that the peer has handed over: it goes on with the next.
        received: u64,
    },
    /// A frame for the peer. The numbers of a session begin with 1 and have no gaps.
    Frame {
        /// Its number.
        number: u64,
        /// The frame.
        frame: Carried,
    },
    /// The session has ended, and everything was taken that came before.
    Ended(CloseReason),
    /// Another carrier goes on in this one's place.
    Superseded,
    /// It took nothing for too long. Another one may go on.
    Stalled,
}

/// Takes the frames of a [`Resumable`](super::Resumable) session. Dropped, the session is without a carrier.
#[must_use = "a carrier that is dropped leaves its session"]
pub struct Carrier {
    inner: Arc<Inner>,
    /// Which of the session's carriers it is.
    turn: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begin,
    Open,
    Over,
}

impl Carrier {
    pub(super) fn new(inner: Arc<Inner>, turn: u64) -> Self {
        Self { inner, turn, stage: Stage::Begin }
    }

    /// The next thing for the peer; `None` after the last one.
    ///
    /// `Pending` wakes the task of the last call.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<CarrierItem>> {
        if self.stage == Stage::Over {
            return Poll::Ready(None);
        }
        let mut state = self.inner.lock();
        if state.turn != self.turn {
            self.stage = Stage::Over;
            let stalled = state.cut == self.turn;
            let last = if stalled { CarrierItem::Stalled } else { CarrierItem::Superseded };
            return Poll::Ready(Some(last));
        }
        if self.stage == Stage::Begin
            && let Some(client) = state.client
        {
            self.stage = Stage::Open;
            let received = state.inbound.last();
            return Poll::Ready(Some(CarrierItem::Open { client, received }));
        }
        if self.stage == Stage::Open
            && let Some((number, frame)) = state.ring.take()
        {
            state.moved = Some(Instant::now());
            let room = state.settle_room(&self.inner.options);
            drop(state);
            if room {
                self.inner.task.wake();
            }
            return Poll::Ready(Some(CarrierItem::Frame { number, frame }));
        }
        if let Some(reason) = state.end.clone() {
            self.stage = Stage::Over;
            state.attached = false;
            drop(state);
            self.inner.task.wake();
            return Poll::Ready(Some(CarrierItem::Ended(reason)));
        }
        state.set_reader(cx.waker());
        Poll::Pending
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        if state.turn == self.turn {
            state.attached = false;
            state.reader = None;
            drop(state);
            self.inner.task.wake();
        }
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier")
            .field("turn", &self.turn)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}
