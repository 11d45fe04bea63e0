//! A member's session, which the engine's reader and the client's task share.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::Stream;
use narthex_core::{CloseReason, DirectSink, Session};
use socketioxide_core::Value;

use super::{Member, inbox::Decoded, lock, sink::ToEngine};
use crate::envelope;

/// What is behind the lock.
pub(super) struct Driver {
    pub(super) session: Session,
    pub(super) attached: bool,
    direct: bool,
    /// The client's task, which handlers wake.
    waker: Waker,
    full: bool,
    awaiting: bool,
}

impl Member {
    pub(super) fn handle(&self, driver: &mut Driver, decoded: Decoded) {
        let waker = driver.waker.clone();
        let (decoded, size) = decoded;
        driver.session.receive_decoded(&mut Context::from_waker(&waker), decoded, size, &mut ToEngine(self));
        self.report(driver);
    }

    /// Tells the connection what this client can take.
    fn report(&self, driver: &mut Driver) {
        let full = !driver.session.accepts_input();
        if std::mem::replace(&mut driver.full, full) != full {
            self.connection.set_full(full);
        }
        let awaiting = driver.session.awaits_any();
        if std::mem::replace(&mut driver.awaiting, awaiting) != awaiting {
            self.connection.set_awaiting(awaiting);
        }
    }

    /// Gives the session to the engine's reader and the task to share.
    pub(crate) fn open(&self, session: Session, direct: bool) {
        let waker = Waker::noop().clone();
        let driver = Driver { session, attached: false, direct, waker, full: false, awaiting: false };
        *lock(&self.driver) = Some(driver);
    }

    /// Takes the session back; nothing is handled from now on.
    pub(crate) fn close(&self) {
        let driver = lock(&self.driver).take();
        if let Some(mut driver) = driver {
            if std::mem::take(&mut driver.full) {
                self.connection.set_full(false);
            }
            if std::mem::take(&mut driver.awaiting) {
                self.connection.set_awaiting(false);
            }
            *lock(&self.inbox) = VecDeque::new();
            self.relieve();
            lock(&self.requests).clear();
        }
    }

    /// One turn of the client's task.
    pub(crate) fn poll(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        self.task.register(cx.waker());
        if let Some(reason) = self.end() {
            return Poll::Ready(reason);
        }
        if !self.answered.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let Ok(mut guard) = self.driver.try_lock() else {
            self.waiting.store(true, Ordering::Release);
            return match self.driver.try_lock() {
                Ok(mut guard) => self.turn(&mut guard, cx),
                Err(_) => Poll::Pending,
            };
        };
        self.turn(&mut guard, cx)
    }

    fn turn(self: &Arc<Self>, driver: &mut Option<Driver>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let Some(driver) = driver else { return Poll::Ready(CloseReason::ClientGone) };
        driver.waker.clone_from(cx.waker());
        if !driver.attached {
            driver.attached = true;
            if driver.direct {
                driver.session.attach(Arc::clone(self) as Arc<dyn DirectSink>);
            }
        }
        loop {
            let taken = match driver.session.accepts_input() {
                true => self.take(),
                false => None,
            };
            let Some((decoded, size)) = taken else { break };
            driver.session.receive_decoded(cx, decoded, size, &mut ToEngine(self));
        }
        let polled = driver.session.poll_outbound(cx, &mut ToEngine(self));
        self.poll_requests(driver, cx);
        self.report(driver);
        if polled.is_pending() && driver.session.accepts_input() && !lock(&self.inbox).is_empty() {
            cx.waker().wake_by_ref();
        }
        polled
    }

    /// Hands over answers, and forgets requests that the core has given up.
    fn poll_requests(&self, driver: &mut Driver, cx: &mut Context<'_>) {
        lock(&self.requests).retain_mut(|(id, answers)| {
            if !driver.session.awaits(*id) {
                return false;
            }
            match answers.as_mut().poll_next(cx) {
                Poll::Pending => true,
                Poll::Ready(Some((_, Ok(Value::Str(text, attachments))))) => {
                    let attachments = attachments.map(Vec::from).unwrap_or_default();
                    // One that cannot be read is no answer; the request times out.
                    if let Ok(result) = envelope::answer(Bytes::from(text), attachments, &self.limits) {
                        driver.session.answer(*id, result);
                    }
                    false
                }
                Poll::Ready(_) => false,
            }
        });
    }
}
