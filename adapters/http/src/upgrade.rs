//! Taking a connection over from HTTP.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::{foreign::Foreign, guarded::Guarded, permits::ConnectionPermit, stream::HttpStream};
use bytes::Bytes;
use http::Request;
use hyper_util::rt::TokioIo;
use narthex_core::{Error, ErrorKind, Result};

/// Asks for the connection of a request. Call it before the request is given away, answer the request with 101, and
/// await the result in a task of its own: it is ready once the 101 has been written. Where the request is refused
/// instead, drop it: it would wait until the connection ends.
pub fn upgrade<B>(request: &mut Request<B>) -> Upgrading {
    let foreign = request.extensions_mut().remove::<Foreign>();
    Upgrading { inner: hyper::upgrade::on(request), foreign }
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
    /// There where the connection belongs to another server.
    foreign: Option<Foreign>,
}

impl Future for Upgrading {
    type Output = Result<UpgradedIo>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let refused = || Error::new(ErrorKind::Io, "the connection was not upgraded");
        let upgraded =
            ready!(Pin::new(&mut self.inner).poll(cx)).map_err(|error| refused().with_source(error))?;
        let parts = match (upgraded.downcast::<TokioIo<Guarded<HttpStream>>>(), self.foreign.take()) {
            (Ok(parts), _) => parts,
            (Err(upgraded), Some(foreign)) => {
                let permit = foreign.into_switched().ok_or_else(refused)?;
                let stream = HttpStream::foreign(upgraded);
                // What was read too far is in the stream.
                return Poll::Ready(Ok(UpgradedIo { stream, leftover: Bytes::new(), permit }));
            }
            (Err(_), None) => {
                let unknown = "the connection belongs to another server";
                return Poll::Ready(Err(Error::new(ErrorKind::Unsupported, unknown)));
            }
        };
        let (stream, permit) = parts.io.into_inner().into_switched().ok_or_else(refused)?;
        // A copy, since the bytes are a view into hyper's read buffer, which would be kept alive by them.
        let leftover = Bytes::copy_from_slice(&parts.read_buf);
        Poll::Ready(Ok(UpgradedIo { stream, leftover, permit }))
    }
}

/// A connection after HTTP: the stream, the bytes that were read too far, and its place under the bounds.
#[derive(Debug)]
pub struct UpgradedIo {
    stream: HttpStream,
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
    pub fn into_parts(self) -> (HttpStream, Bytes, ConnectionPermit) {
        (self.stream, self.leftover, self.permit)
    }
}
