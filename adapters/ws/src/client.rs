//! One open WebSocket, before its messages flow.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use narthex_http::{ConnectionPermit, HttpStream, UpgradedIo};
use tokio::io::AsyncWrite;

use crate::{codec::Codec, connection::WriteQueue, settings::Settings};

/// An open WebSocket: what [`Ws`](crate::Ws) hands to its own message loop.
///
/// It is one pointer, so that the futures it travels through stay small.
#[derive(Debug)]
pub struct WsClient {
    pub(crate) carrier: Box<Carrier>,
}

/// The connection below a client: socket, protocol state, and what waits on either side.
#[derive(Debug)]
pub(crate) struct Carrier {
    pub(crate) stream: HttpStream,
    pub(crate) codec: Codec,
    /// Read and not decoded: the session had no room for it.
    pub(crate) pending: Bytes,
    /// Framed and not written: the socket had no room for it.
    pub(crate) queue: WriteQueue,
    pub(crate) settings: Arc<Settings>,
    /// Its place among the listener's connections, held as long as the socket.
    _permit: ConnectionPermit,
}

impl Carrier {
    /// Writes what waits and then `output`, as far as the socket takes it. Says how many bytes left, and whether some
    /// still wait: here, or in a stream that keeps them back.
    ///
    /// # Errors
    /// What the socket says.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>, output: &mut Vec<u8>) -> io::Result<(usize, bool)> {
        let count = self.queue.flush(cx, &mut self.stream, output)?;
        if !self.queue.is_empty() {
            return Ok((count, true));
        }
        if self.stream.is_flushed() {
            return Ok((count, false));
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(flushed) => flushed.map(|()| (count, false)),
            Poll::Pending => Ok((count, true)),
        }
    }
}

impl WsClient {
    /// A client on a connection that HTTP has let go.
    pub(crate) fn new(io: UpgradedIo, settings: Arc<Settings>) -> Self {
        let (stream, leftover, permit) = io.into_parts();
        let carrier = Carrier {
            stream,
            codec: Codec::default(),
            pending: leftover,
            queue: WriteQueue::default(),
            settings,
            _permit: permit,
        };
        Self { carrier: Box::new(carrier) }
    }
}

#[cfg(test)]
mod tests;
