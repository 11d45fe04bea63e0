//! The stream below HTTP and behind it.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A connection's bytes: plain TCP, TLS, or the connection of another HTTP server.
///
/// It is as large as a `TcpStream`; what the other kinds need is elsewhere, and none of them costs plain TCP more than
/// a branch.
pub struct HttpStream(Kind);

enum Kind {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<Buffered<crate::tls::TlsStream>>),
    Foreign(Box<Buffered<TokioIo<Upgraded>>>),
}

/// I/O that takes bytes without sending them at once.
struct Buffered<S> {
    io: S,
    is_flushed: bool,
}

impl<S> Buffered<S> {
    fn new(io: S) -> Box<Self> {
        Box::new(Self { io, is_flushed: true })
    }
}

impl HttpStream {
    #[cfg(feature = "tls")]
    pub(crate) fn tls(stream: crate::tls::TlsStream) -> Self {
        Self(Kind::Tls(Buffered::new(stream)))
    }

    pub(crate) fn foreign(upgraded: Upgraded) -> Self {
        Self(Kind::Foreign(Buffered::new(TokioIo::new(upgraded))))
    }

    /// Whether all bytes that were written have left for the socket. Plain TCP keeps none back; after a write to
    /// another kind, call `poll_flush` until it is ready.
    #[inline]
    pub fn is_flushed(&self) -> bool {
        match &self.0 {
            Kind::Plain(_) => true,
            #[cfg(feature = "tls")]
            Kind::Tls(tls) => tls.is_flushed,
            Kind::Foreign(foreign) => foreign.is_flushed,
        }
    }
}

impl HttpStream {
    /// The socket itself, where nothing is between it and the bytes: what is written there leaves as it is.
    #[inline]
    pub fn as_tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Kind::Plain(stream) => Some(stream),
            #[cfg(feature = "tls")]
            Kind::Tls(_) => None,
            Kind::Foreign(_) => None,
        }
    }
}

impl From<TcpStream> for HttpStream {
    fn from(stream: TcpStream) -> Self {
        Self(Kind::Plain(stream))
    }
}

/// Calls one method on whichever kind it is.
macro_rules! each {
    ($stream:expr, $io:ident => $call:expr) => {
        match &mut $stream.get_mut().0 {
            Kind::Plain($io) => $call,
            #[cfg(feature = "tls")]
            Kind::Tls($io) => $call,
            Kind::Foreign($io) => $call,
        }
    };
}

impl AsyncRead for HttpStream {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for HttpStream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, io => Pin::new(io).poll_write(cx, buf))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Kind::Plain(io) => io.is_write_vectored(),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => io.io.is_write_vectored(),
            Kind::Foreign(io) => io.io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, io => Pin::new(io).poll_shutdown(cx))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Buffered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Buffered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.is_flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl fmt::Debug for HttpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Plain(_) => "HttpStream(Plain)",
            #[cfg(feature = "tls")]
            Kind::Tls(_) => "HttpStream(Tls)",
            Kind::Foreign(_) => "HttpStream(Foreign)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{BufWriter, duplex};

    use super::*;

    #[test]
    fn it_is_as_large_as_a_plain_stream() {
        assert_eq!(size_of::<HttpStream>(), size_of::<TcpStream>());
    }

    #[test]
    fn what_was_taken_and_not_sent_is_not_flushed() {
        let (ours, _theirs) = duplex(4);
        let mut stream = Buffered::new(BufWriter::new(ours));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut *stream).poll_write(&mut cx, b"12345678").is_ready());
        assert!(!stream.is_flushed);
        assert!(Pin::new(&mut *stream).poll_flush(&mut cx).is_pending());
        assert!(!stream.is_flushed);
    }
}
