//! One connection's life: a single loop over its socket, its session and its clock.

mod clock;
mod farewell;
mod outlet;
mod queue;
mod scratch;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use narthex_core::{CloseReason, Outlet, Session};
use tokio::io::{AsyncRead, ReadBuf};

use self::{
    clock::{Clock, Due},
    outlet::{FULL, FrameOutlet},
    scratch::Scratch,
};
pub(crate) use self::{farewell::farewell, queue::WriteQueue};
use crate::{
    client::{Carrier, WsClient},
    codec::{Received, framing},
};

/// Reads in a row before other tasks of the thread get a turn.
const ROUNDS: usize = 8;
/// With more bytes than this in its write queue, a connection reads nothing: who does not take answers may
/// not ask.
const READ_WHILE_QUEUED: usize = 4 * 1024;

/// How the message loop ended, and with it what may still be said.
#[derive(Debug)]
pub(crate) enum End {
    /// Nothing: the connection is gone or stuck.
    Cut(CloseReason),
    /// The client broke a rule and reads why; what it sends on is not understood any more.
    Failed(CloseReason),
    /// The server asked for the end; the client may answer.
    Asked(CloseReason),
    /// The client asked for it, and its close frame has been echoed.
    Answered(CloseReason),
}

/// The running loop.
#[derive(Debug)]
pub(crate) struct Connection {
    carrier: Box<Carrier>,
    session: Session,
    clock: Clock,
}

impl Connection {
    pub(crate) fn new(client: WsClient, session: Session) -> Self {
        let clock = Clock::new(&client.carrier.settings);
        Self { carrier: client.carrier, session, clock }
    }

    /// Ends the session and keeps what can still say goodbye.
    pub(crate) fn into_carrier(self) -> Box<Carrier> {
        self.carrier
    }

    /// Moves everything that can move, and is ready when the loop has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        scratch::with(|scratch| match self.turn(cx, scratch) {
            Ok(()) => Poll::Pending,
            Err(end) => {
                // The answers to what came before the end still leave.
                self.carrier.queue.push_copy(&scratch.output);
                Poll::Ready(end)
            }
        })
    }

    fn turn(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Result<(), End> {
        // A first write without a read: the session may have been what woke the task.
        let mut more = true;
        for _ in 0..ROUNDS {
            let read = self.read(cx, scratch)?;
            if !read && !more {
                return self.tick(cx, scratch);
            }
            more = self.write(cx, scratch)?;
        }
        cx.waker().wake_by_ref();
        self.tick(cx, scratch)
    }

    /// Reads once and hands every frame of it to the session. Says whether there was anything.
    fn read(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Result<bool, End> {
        if !self.may_read() {
            return Ok(false);
        }
        if !self.carrier.pending.is_empty() {
            let mut pending = std::mem::take(&mut self.carrier.pending);
            let left = self.receive(cx, &pending, &mut scratch.output)?;
            pending.advance(pending.len() - left);
            self.carrier.pending = if left == 0 { Bytes::new() } else { pending };
            return Ok(true);
        }
        let Scratch { input, output } = scratch;
        let mut buffer = ReadBuf::new(input);
        match Pin::new(&mut self.carrier.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
            Poll::Ready(Ok(()) | Err(_)) => return Err(End::Cut(CloseReason::ClientGone)),
        }
        self.clock.heard();
        let bytes = buffer.filled();
        let left = self.receive(cx, bytes, output)?;
        if left > 0 {
            self.carrier.pending = Bytes::copy_from_slice(&bytes[bytes.len() - left..]);
        }
        Ok(true)
    }

    fn may_read(&self) -> bool {
        self.session.accepts_input() && self.carrier.queue.len() <= READ_WHILE_QUEUED
    }

    /// Decodes as long as the session takes messages and their replies have room. Says how many bytes are
    /// left over.
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        mut input: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<usize, End> {
        let Carrier { codec, queue, settings, .. } = &mut *self.carrier;
        while !input.is_empty() && self.session.accepts_input() && output.len() + queue.len() < FULL {
            match codec.decode(&mut input, output, &settings.bounds) {
                Ok(Some(Received::Frame(frame))) => {
                    self.session.receive(cx, frame, &mut FrameOutlet::new(output, queue));
                }
                Ok(Some(Received::Control) | None) => {}
                Ok(Some(Received::Close { code, text })) => {
                    return Err(End::Answered(CloseReason::ClientClosed { code, text }));
                }
                Err(violation) => return Err(End::Failed(violation.into())),
            }
        }
        Ok(input.len())
    }

    /// Takes what the session has ready and writes it in one go. Says whether the session may have more.
    fn write(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Result<bool, End> {
        let mut outlet = FrameOutlet::new(&mut scratch.output, &mut self.carrier.queue);
        let ended = self.session.poll_outbound(cx, &mut outlet);
        let was_full = outlet.is_full();
        if let Poll::Ready(reason) = ended {
            return Err(End::Asked(reason));
        }
        self.flush(cx, &mut scratch.output)?;
        Ok(was_full && self.carrier.queue.len() < FULL)
    }

    fn flush(&mut self, cx: &mut Context<'_>, output: &mut Vec<u8>) -> Result<(), End> {
        match self.carrier.flush(cx, output) {
            Ok((count, waits)) => self.clock.wrote(count > 0, waits),
            Err(_) => return Err(End::Cut(CloseReason::ClientGone)),
        }
        Ok(())
    }

    /// Looks at the clock, last: what just came in or left counts.
    fn tick(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Result<(), End> {
        if self.may_read() {
            let codec = &self.carrier.codec;
            self.clock.unfinished(codec.is_unfinished(), codec.progress());
        } else {
            self.clock.deaf();
        }
        while let Poll::Ready(due) = self.clock.poll(cx, &self.carrier.settings) {
            match due {
                Due::Ping => {
                    framing::write_ping(&mut scratch.output);
                    self.flush(cx, &mut scratch.output)?;
                }
                Due::PingTimeout => return Err(End::Cut(CloseReason::IdleTimeout)),
                Due::WriteTimeout => return Err(End::Cut(CloseReason::WriteTimeout)),
                Due::UnfinishedTimeout => {
                    let text = "message took too long".into();
                    return Err(End::Failed(CloseReason::Protocol { code: 1008, text }));
                }
            }
        }
        Ok(())
    }
}
