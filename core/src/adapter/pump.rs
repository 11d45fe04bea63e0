//! The one select loop, for adapters whose frames come as a stream and leave through a sink.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::time::Sleep;

use super::Session;
use crate::{
    client::{CloseReason, cork},
    message::{Frame, Outlet},
};

/// How many frames wait for the sink before no more are read.
const FULL: usize = 64;

/// How many turns one client has before others have theirs.
const TURNS: usize = 4;

/// How long the peer may take nothing, and how long the last frames may take to leave.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Queue(VecDeque<Frame>);

impl Outlet for Queue {
    fn text(&mut self, payload: &[u8]) {
        self.0.push_back(Frame::Text(Bytes::copy_from_slice(payload)));
    }

    fn binary(&mut self, payload: &[u8]) {
        self.0.push_back(Frame::Binary(Bytes::copy_from_slice(payload)));
    }

    fn frame(&mut self, frame: &Frame) {
        self.0.push_back(frame.clone());
    }

    fn framed(&mut self, bytes: &Bytes) {
        // Only an adapter with its own framing is given such frames, and it would not use this loop for them.
        self.0.push_back(Frame::Binary(bytes.clone()));
    }

    fn is_full(&self) -> bool {
        self.0.len() >= FULL
    }
}

impl Session {
    /// Carries frames both ways until the peer leaves or the session ends, and says why.
    ///
    /// An item `Err(reason)` of `inbound` ends the session with that reason, its end with
    /// [`CloseReason::ClientGone`]. An error of `outbound` means that the peer is gone. When the session ends first,
    /// what was given is still sent, for at most five seconds; `outbound` is then closed.
    pub async fn pump<I, O>(mut self, inbound: I, outbound: O) -> CloseReason
    where
        I: Stream<Item = Result<Frame, CloseReason>> + Send,
        O: Sink<Frame> + Send,
    {
        let (mut inbound, mut outbound) = (pin!(inbound), pin!(outbound));
        let mut queue = Queue::default();
        let mut stalled: Option<Pin<Box<Sleep>>> = None;
        let mut turn = |cx: &mut Context<'_>| {
            for _ in 0..TURNS {
                let (mut quiet, mut taken_in) = (false, 0);
                while !quiet && taken_in < FULL && self.accepts_input() && !queue.is_full() {
                    taken_in += 1;
                    match inbound.as_mut().poll_next(cx) {
                        Poll::Ready(Some(Ok(frame))) => self.receive(cx, frame, &mut queue),
                        Poll::Ready(Some(Err(reason))) => return Poll::Ready(Ok(reason)),
                        Poll::Ready(None) => return Poll::Ready(Ok(CloseReason::ClientGone)),
                        Poll::Pending => quiet = true,
                    }
                }
                if let Poll::Ready(reason) = self.poll_outbound(cx, &mut queue) {
                    return Poll::Ready(Ok(reason));
                }
                let was_full = queue.is_full();
                match send(outbound.as_mut(), &mut queue, cx) {
                    Err(Gone) => return Poll::Ready(Err(CloseReason::ClientGone)),
                    Ok(taken) if queue.0.is_empty() || taken => stalled = None,
                    Ok(_) => {}
                }
                if !queue.0.is_empty() {
                    let deadline =
                        stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_DEADLINE)));
                    if deadline.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Err(CloseReason::WriteTimeout));
                    }
                }
                // What was left without a waker above, and can go on now, has another turn.
                let more_out = was_full && !queue.is_full();
                let more_in = !quiet && self.accepts_input() && !queue.is_full();
                if !more_out && !more_in {
                    return Poll::Pending;
                }
            }
            // A peer that never pauses must not keep the others waiting.
            cx.waker().wake_by_ref();
            Poll::Pending
        };
        let end = poll_fn(|cx| cork(|| turn(cx))).await;
        // A sink that has failed, or that takes nothing, is not asked again.
        let reason = match end {
            Ok(reason) => reason,
            Err(cut) => return cut,
        };
        // What runs goes on while the last frames leave.
        drop(self);
        let last = poll_fn(|cx| match send(outbound.as_mut(), &mut queue, cx) {
            Err(Gone) => Poll::Ready(()),
            Ok(_) if !queue.0.is_empty() => Poll::Pending,
            Ok(_) => outbound.as_mut().poll_close(cx).map(|_| ()),
        });
        match tokio::time::timeout(WRITE_DEADLINE, last).await {
            Ok(()) => reason,
            Err(_) => CloseReason::WriteTimeout,
        }
    }
}

struct Gone;

/// Gives the sink what it takes, flushes, and says whether it took any.
fn send<O: Sink<Frame>>(
    mut sink: std::pin::Pin<&mut O>,
    queue: &mut Queue,
    cx: &mut std::task::Context<'_>,
) -> Result<bool, Gone> {
    let mut taken = false;
    while !queue.0.is_empty() {
        match sink.as_mut().poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Err(Gone),
            Poll::Pending => break,
        }
        if let Some(frame) = queue.0.pop_front() {
            sink.as_mut().start_send(frame).map_err(|_| Gone)?;
            taken = true;
        }
    }
    match sink.as_mut().poll_flush(cx) {
        Poll::Ready(Err(_)) => Err(Gone),
        _ => Ok(taken),
    }
}
