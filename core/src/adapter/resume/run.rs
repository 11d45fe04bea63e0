//! The session's one task.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::time::{Instant, timeout};

use super::{Inner, Resumable, ring::Batch, times::Times};
use crate::{
    adapter::Session,
    client::CloseReason,
    message::{Frame, Outlet},
};

/// How many frames one turn hands over.
const TURN: usize = 64;

/// How many turns one session has before others have theirs.
const TURNS: usize = 4;

impl Resumable {
    /// Drives the session for its whole life, with a carrier and without, and says why it ended.
    ///
    /// Without a carrier it ends with [`CloseReason::ClientGone`] when the grace time is over. At its end the carrier
    /// is given what is left, then the reason; this waits for that, for a bounded time.
    ///
    /// Not cancel safe: dropped, the session has ended, and its carrier is told so.
    pub async fn run(&self, mut session: Session) -> CloseReason {
        let over = EndOnDrop(&self.0);
        self.0.begin(&session);
        let mut times = Times::default();
        let reason = poll_fn(|cx| self.0.poll(cx, &mut session, &mut times)).await;
        self.0.end(reason.clone());
        let taken = poll_fn(|cx| self.0.poll_taken(cx));
        if timeout(self.0.options.farewell, taken).await.is_err() {
            tracing::debug!("a carrier did not take the end of its session");
        }
        drop(over);
        reason
    }
}

impl Inner {
    fn begin(&self, session: &Session) {
        let mut state = self.lock();
        state.client = Some(session.client().id());
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>, session: &mut Session, times: &mut Times) -> Poll<CloseReason> {
        self.task.register(cx.waker());
        for _ in 0..TURNS {
            let mut batch = self.batch(session);
            self.hand_over(cx, session, &mut batch);
            let ended = session.poll_outbound(cx, &mut batch);
            let room = self.append(batch);
            if ended.is_ready() {
                return ended;
            }
            match self.rest(session) {
                Rest::Left(reason) => return Poll::Ready(reason),
                Rest::More => {}
                Rest::Nothing if room => {}
                Rest::Nothing => return times.poll(cx, self).map(|()| CloseReason::ClientGone),
            }
        }
        // A peer that never pauses must not keep the others waiting.
        cx.waker().wake_by_ref();
        times.poll(cx, self).map(|()| CloseReason::ClientGone)
    }

    /// Where one turn writes. A session that is about to end is not held up by a full ring: nobody may come for it.
    fn batch(&self, session: &Session) -> Batch {
        if session.client().is_closed() {
            return Batch::new((usize::MAX, usize::MAX));
        }
        let state = self.lock();
        Batch::new(state.ring.room(state.attached, &self.options))
    }

    fn hand_over(&self, cx: &mut Context<'_>, session: &mut Session, batch: &mut Batch) {
        let mut taken = 0;
        while taken < TURN && session.accepts_input() && !batch.is_full() {
            let Some(frame) = self.pop() else { break };
            taken += 1;
            session.receive(cx, frame, batch);
        }
        if taken > 0 {
            self.room.notify_waiters();
        }
    }

    fn pop(&self) -> Option<Frame> {
        self.lock().inbound.pop()
    }

    /// Numbers what one turn wrote. Says whether a turn that was held up for want of room has some now.
    fn append(&self, batch: Batch) -> bool {
        let was_full = batch.is_full();
        let mut state = self.lock();
        let written = !batch.items.is_empty();
        if written && state.ring.ahead() == 0 {
            state.moved = Some(Instant::now());
        }
        for item in batch.items {
            state.ring.push(item);
        }
        if state.attached {
            state.ring.trim(&self.options);
        }
        state.wants_room = state.is_full(&self.options);
        let room = was_full && !state.wants_room;
        let reader = if written { state.reader.take() } else { None };
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        room
    }

    /// What is left to do without being woken.
    fn rest(&self, session: &Session) -> Rest {
        let state = self.lock();
        if state.inbound.is_empty() {
            return state.leaving.clone().map_or(Rest::Nothing, Rest::Left);
        }
        let full = state.is_full(&self.options);
        drop(state);
        if session.accepts_input() && !full { Rest::More } else { Rest::Nothing }
    }

    pub(super) fn end(&self, reason: CloseReason) {
        let mut state = self.lock();
        state.end.get_or_insert(reason);
        state.inbound.clear();
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        self.room.notify_waiters();
    }

    /// Ready once there is no carrier, or it has taken everything.
    fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.task.register(cx.waker());
        if self.lock().attached { Poll::Pending } else { Poll::Ready(()) }
    }
}

enum Rest {
    Nothing,
    More,
    Left(CloseReason),
}

/// A session whose task is dropped has ended, too.
struct EndOnDrop<'a>(&'a Inner);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end(CloseReason::Failed("the session's task was dropped".to_owned()));
    }
}
