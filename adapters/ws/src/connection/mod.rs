//! One connection's life: a single loop over its socket, its session and its clock.

mod clock;
mod farewell;
mod line;
mod outlet;
mod queue;
mod scratch;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use narthex_core::{CloseReason, Outlet, Session, cork};
use tokio::io::{AsyncRead, ReadBuf};

use self::{
    clock::{Clock, Due},
    line::Owned,
    outlet::{FULL, FrameOutlet},
    queue::WriteQueue,
    scratch::Scratch,
};
pub(crate) use self::{
    farewell::farewell,
    line::{Line, Socket},
};
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
    /// The client asked for it, and its close frame has been echoed. `last`: it has sent nothing behind that.
    Answered { reason: CloseReason, last: bool },
}

/// The running loop.
#[derive(Debug)]
pub(crate) struct Connection {
    line: Owned,
    turns: Turns,
}

/// What one turn after another works on, beside the socket.
#[derive(Debug)]
struct Turns {
    carrier: Box<Carrier>,
    session: Session,
    clock: Clock,
}

impl Connection {
    pub(crate) fn new(client: WsClient, mut session: Session) -> Self {
        let WsClient { line, carrier } = client;
        let clock = Clock::new(&carrier.settings);
        if line.lock().as_ref().is_some_and(|socket| socket.stream.as_tcp().is_some()) {
            session.write_through(Arc::clone(&line) as _);
        }
        Self { line: Owned(line), turns: Turns { carrier, session, clock } }
    }

    /// Ends the session and keeps what can still say goodbye.
    pub(crate) fn into_parts(self) -> (Option<Socket>, Box<Carrier>) {
        (self.line.0.take(), self.turns.carrier)
    }

    /// Moves everything that can move, and is ready when the loop has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        // What handlers send to other clients leaves at the end, when this socket is free again.
        cork(|| {
            let mut socket = self.line.0.lock();
            let Some(socket) = &mut *socket else { return Poll::Ready(End::Cut(CloseReason::ClientGone)) };
            scratch::with(|scratch| match self.turns.turn(cx, socket, scratch) {
                Ok(()) => Poll::Pending,
                Err(end) => {
                    // The answers to what came before the end still leave.
                    socket.queue.push_copy(&scratch.output);
                    Poll::Ready(end)
                }
            })
        })
    }
}

impl Turns {
    fn turn(&mut self, cx: &mut Context<'_>, socket: &mut Socket, scratch: &mut Scratch) -> Result<(), End> {
        // A first write without a read: the session may have been what woke the task.
        let mut more = true;
        for _ in 0..ROUNDS {
            let read = self.read(cx, socket, scratch)?;
            if !read && !more {
                return self.tick(cx, socket, scratch);
            }
            more = self.write(cx, socket, scratch)?;
        }
        cx.waker().wake_by_ref();
        self.tick(cx, socket, scratch)
    }

    /// Reads once and hands every frame of it to the session. Says whether there was anything.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut Socket,
        scratch: &mut Scratch,
    ) -> Result<bool, End> {
        if !self.may_read(socket) {
            return Ok(false);
        }
        if !self.carrier.pending.is_empty() {
            let mut pending = std::mem::take(&mut self.carrier.pending);
            let left = self.receive(cx, &pending, &mut socket.queue, &mut scratch.output)?;
            pending.advance(pending.len() - left);
            self.carrier.pending = if left == 0 { Bytes::new() } else { pending };
            return Ok(true);
        }
        let Scratch { input, output } = scratch;
        let mut buffer = ReadBuf::new(input);
        match Pin::new(&mut socket.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
            Poll::Ready(Ok(()) | Err(_)) => return Err(End::Cut(CloseReason::ClientGone)),
        }
        self.clock.heard();
        let bytes = buffer.filled();
        let left = self.receive(cx, bytes, &mut socket.queue, output)?;
        if left > 0 {
            self.carrier.pending = Bytes::copy_from_slice(&bytes[bytes.len() - left..]);
        }
        Ok(true)
    }

    fn may_read(&self, socket: &Socket) -> bool {
        self.session.accepts_input() && socket.queue.len() <= READ_WHILE_QUEUED
    }

    /// Decodes as long as the session takes messages and their replies have room. Says how many bytes are
    /// left over.
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        mut input: &[u8],
        queue: &mut WriteQueue,
        output: &mut Vec<u8>,
    ) -> Result<usize, End> {
        let Carrier { codec, settings, .. } = &mut *self.carrier;
        while !input.is_empty() && self.session.accepts_input() && output.len() + queue.len() < FULL {
            match codec.decode(&mut input, output, &settings.bounds) {
                Ok(Some(Received::Frame(frame))) => {
                    self.session.receive(cx, frame, &mut FrameOutlet::new(output, queue));
                }
                Ok(Some(Received::Control) | None) => {}
                Ok(Some(Received::Close { code, text })) => {
                    let reason = CloseReason::ClientClosed { code, text };
                    return Err(End::Answered { reason, last: input.is_empty() });
                }
                Err(violation) => return Err(End::Failed(violation.into())),
            }
        }
        Ok(input.len())
    }

    /// Takes what the session has ready and writes it in one go. Says whether the session may have more.
    fn write(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut Socket,
        scratch: &mut Scratch,
    ) -> Result<bool, End> {
        let mut outlet = FrameOutlet::new(&mut scratch.output, &mut socket.queue);
        let ended = self.session.poll_outbound(cx, &mut outlet);
        let was_full = outlet.is_full();
        if let Poll::Ready(reason) = ended {
            return Err(End::Asked(reason));
        }
        self.flush(cx, socket, &mut scratch.output)?;
        Ok(was_full && socket.queue.len() < FULL)
    }

    fn flush(&mut self, cx: &mut Context<'_>, socket: &mut Socket, output: &mut Vec<u8>) -> Result<(), End> {
        match socket.flush(cx, output) {
            Ok((count, waits)) => self.clock.wrote(count > 0, waits),
            Err(_) => return Err(End::Cut(CloseReason::ClientGone)),
        }
        Ok(())
    }

    /// Looks at the clock, last: what just came in or left counts.
    fn tick(&mut self, cx: &mut Context<'_>, socket: &mut Socket, scratch: &mut Scratch) -> Result<(), End> {
        if self.may_read(socket) {
            let codec = &self.carrier.codec;
            self.clock.unfinished(codec.is_unfinished(), codec.progress());
        } else {
            self.clock.deaf();
        }
        while let Poll::Ready(due) = self.clock.poll(cx, &self.carrier.settings) {
            match due {
                Due::Ping => {
                    framing::write_ping(&mut scratch.output);
                    self.flush(cx, socket, &mut scratch.output)?;
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
