//! The times of a session: how long it may be without a carrier, and how long a carrier may take nothing.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::Inner;

/// The timers of one session. There is none while it has a carrier that has taken everything.
#[derive(Default)]
pub(super) struct Times {
    grace: Option<Grace>,
    stall: Option<Pin<Box<Sleep>>>,
}

/// The time without a carrier.
struct Grace {
    /// The carrier that is gone.
    turn: u64,
    sleep: Pin<Box<Sleep>>,
    /// The session's place among those without a carrier.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Times {
    /// Ready when the session has been without a carrier for too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, inner: &Inner) -> Poll<()> {
        self.poll_stall(cx, inner);
        let state = inner.lock();
        let (attached, turn) = (state.attached, state.turn);
        drop(state);
        if attached {
            self.grace = None;
            return Poll::Pending;
        }
        if self.grace.as_ref().is_none_or(|grace| grace.turn != turn) {
            // The place of a wait that is over is free again.
            self.grace = None;
            self.grace = Grace::begin(turn, inner);
        }
        match &mut self.grace {
            Some(grace) => grace.sleep.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }

    /// Cuts off a carrier that takes nothing. The timer is not moved with each frame, but looks again when it is over.
    fn poll_stall(&mut self, cx: &mut Context<'_>, inner: &Inner) {
        let Some(at) = inner.stalls_at() else {
            // A timer that runs is left, since the next frame would need it again.
            if self.stall.as_mut().is_some_and(|stall| stall.as_mut().poll(cx).is_ready()) {
                self.stall = None;
            }
            return;
        };
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep_until(at)));
        while stall.as_mut().poll(cx).is_ready() {
            if stall.deadline() >= at {
                self.stall = None;
                return inner.cut_carrier(cx);
            }
            stall.as_mut().reset(at);
        }
    }
}

impl Grace {
    /// `None` where the session may not wait.
    fn begin(turn: u64, inner: &Inner) -> Option<Self> {
        let options = &inner.options;
        if options.grace == Duration::ZERO {
            return None;
        }
        let permit = match &options.detached {
            Some(permits) => Some(Arc::clone(permits).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Self { turn, sleep: Box::pin(sleep(options.grace)), _permit: permit })
    }
}

impl Inner {
    /// When the carrier will have taken nothing for too long.
    fn stalls_at(&self) -> Option<Instant> {
        let state = self.lock();
        let waits = state.attached && state.ring.ahead() > 0;
        state.moved.filter(|_| waits)?.checked_add(self.options.stall)
    }

    fn cut_carrier(&self, cx: &mut Context<'_>) {
        let mut state = self.lock();
        state.cut = state.turn;
        state.turn += 1;
        state.attached = false;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        // There is other room without a carrier.
        cx.waker().wake_by_ref();
    }
}
