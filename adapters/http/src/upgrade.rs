//! Taking a connection over from HTTP.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Request;
use hyper_util::rt::TokioIo;
use narthex_core::{Error, ErrorKind, Result};
use tokio::net::TcpStream;

use crate::{guarded::Guarded, permits::ConnectionPermit};

/// Asks for the connection of a request. Call it before the request is given away, answer the request with 101, and
/// await the result in a task of its own: it is ready once the 101 has been written. Where the request is refused
/// instead, drop it: it would wait until the connection ends.
pub fn upgrade<B>(request: &mut Request<B>) -> Upgrading {
    Upgrading { inner: hyper::upgrade::on(request) }
}

/// A connection that is about to be handed over.
///
/// # Errors
///
/// It fails with kind `Io` when the request was not one that can be upgraded, was not answered with 101, or the peer
/// went away.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Upgrading {
    inner: hyper::upgrade::OnUpgrade,
}

impl Future for Upgrading {
    type Output = Result<UpgradedIo>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let refused = || Error::new(ErrorKind::Io, "the connection was not upgraded");
        let upgraded =
            ready!(Pin::new(&mut self.inner).poll(cx)).map_err(|error| refused().with_source(error))?;
        let foreign = |_| Error::new(ErrorKind::Unsupported, "the connection belongs to another listener");
        let parts = upgraded.downcast::<TokioIo<Guarded<TcpStream>>>().map_err(foreign)?;
        let (stream, permit) = parts.io.into_inner().into_switched().ok_or_else(refused)?;
        // A copy, since the bytes are a view into hyper's read buffer, which would be kept alive by them.
        let leftover = Bytes::copy_from_slice(&parts.read_buf);
        Poll::Ready(Ok(UpgradedIo { stream, leftover, permit }))
    }
}

/// A connection after HTTP: the bare stream, the bytes that were read too far, and its place under the bounds.
#[derive(Debug)]
pub struct UpgradedIo {
    stream: TcpStream,
    leftover: Bytes,
    permit: ConnectionPermit,
}

impl UpgradedIo {
    /// What the peer sent behind its request. It comes before whatever is read from the stream.
    pub fn leftover(&self) -> &Bytes {
        &self.leftover
    }

    /// The stream, the left-over bytes, and the permit: keep it as long as the stream, the connection counts until it
    /// is dropped.
    pub fn into_parts(self) -> (TcpStream, Bytes, ConnectionPermit) {
        (self.stream, self.leftover, self.permit)
    }
}
