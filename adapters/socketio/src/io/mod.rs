//! The stream between a socket and the engine.

mod incoming;
mod lent;
mod outgoing;

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use narthex_core::CloseReason;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

pub(crate) use self::{
    incoming::{CONNECT, part_query},
    lent::{Lent, linger},
    outgoing::is_message,
};
use self::{
    incoming::{Incoming, PONG},
    outgoing::{Outgoing, Step},
};
use crate::{connection::Connection, front::rename, protocol::Protocol};

/// Told of each CONNECT packet before the engine sees it.
pub(crate) type Announce = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The stream between a WebSocket's socket and the engine. It does what the engine does not:
///
/// * the peer reads its own ids, and no ping before its time;
/// * a peer that takes no byte for `deadline` is let go;
/// * nothing is read while the session takes no input;
/// * the session can be ended from this side.
pub(crate) struct EngineIo<S> {
    stream: S,
    /// What was read too far before the upgrade.
    leftover: Bytes,
    connection: Arc<Connection>,
    outgoing: Outgoing,
    /// Until the early ping is answered, or always where CONNECT packets are of interest.
    incoming: Option<Incoming>,
    ping_answered: bool,
    announce: Option<Announce>,
    /// Written anew, and not written yet.
    anew: Bytes,
    deadline: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> EngineIo<S> {
    /// `opening`: the session begins with this WebSocket.
    pub(crate) fn new(
        (stream, leftover): (S, Bytes),
        connection: Arc<Connection>,
        opening: bool,
        deadline: Duration,
        announce: Option<Announce>,
    ) -> Self {
        let protocol = connection.protocol();
        let pings = opening && protocol.has_early_ping();
        let followed = pings || announce.is_some() || protocol == Protocol::V3;
        Self {
            stream,
            leftover,
            outgoing: Outgoing::new(protocol, opening),
            incoming: followed.then(|| Incoming::new(protocol)),
            connection,
            ping_answered: !pings,
            announce,
            anew: Bytes::new(),
            deadline,
            stalled: None,
        }
    }

    /// Writes, and ends the session where the peer takes nothing for too long.
    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            self.stalled = None;
            return Poll::Ready(written);
        }
        let deadline = self.deadline;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(deadline)));
        ready!(stalled.as_mut().poll(cx));
        self.connection.kill(Some(CloseReason::WriteTimeout));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn write_anew(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.anew.is_empty() {
            let bytes = self.anew.clone();
            let written = ready!(self.write(cx, &bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.anew.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads at most `limit` bytes of what is there.
    fn read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, limit: usize) -> Poll<io::Result<()>> {
        if !self.leftover.is_empty() {
            let taken = self.leftover.len().min(limit).min(buf.remaining());
            buf.put_slice(&self.leftover.split_to(taken));
            return Poll::Ready(Ok(()));
        }
        if limit >= buf.remaining() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let mut small = [0; 64];
        let mut part = ReadBuf::new(&mut small[..limit.min(64)]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for EngineIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.connection.register_reader(cx.waker());
        if this.connection.is_killed() {
            return Poll::Ready(Ok(()));
        }
        if !this.connection.poll_may_read(cx.waker()) {
            return Poll::Pending;
        }
        let mut limit = usize::MAX;
        if let Some(incoming) = &this.incoming
            && !this.ping_answered
            && this.outgoing.has_swallowed_ping()
        {
            limit = incoming.until_end();
            if limit == 0 {
                if buf.remaining() >= PONG.len() {
                    this.ping_answered = true;
                    if this.announce.is_none() {
                        this.incoming = None;
                    }
                    buf.put_slice(&PONG);
                    return Poll::Ready(Ok(()));
                }
                limit = usize::MAX;
            }
        }
        let before = buf.filled().len();
        ready!(this.read(cx, buf, limit))?;
        if let Some(incoming) = &mut this.incoming {
            let announce = this.announce.as_deref();
            incoming.advance(&mut buf.filled_mut()[before..], |packet| {
                if let Some(announce) = announce {
                    announce(packet);
                }
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for EngineIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.write_anew(cx))?;
        let connection = &this.connection;
        match this.outgoing.next(bytes, |packet| rename(packet, connection)) {
            Step::Pass(count) => {
                let count = ready!(this.write(cx, &bytes[..count]))?;
                let written = this.outgoing.advance(&bytes[..count]);
                if written != outgoing::Written::default() {
                    this.connection.wrote(written.messages, written.bytes);
                }
                Poll::Ready(Ok(count))
            }
            Step::Replace { taken, with } => {
                if with.is_empty() {
                    // The early ping: the reader answers it.
                    this.connection.wake_reader();
                }
                this.anew = with.into();
                // What is left goes before whatever comes next.
                if let Poll::Ready(Err(error)) = this.write_anew(cx) {
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(taken))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_anew(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
