//! A connection's I/O with deadlines that hyper does not have.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    config::HttpConfig,
    deadline::Deadline,
    permits::ConnectionPermit,
    phase::{Kind, Phase},
};

/// How long, and for how many bytes, input is read and thrown away after the last response. Closing with unread input
/// makes the kernel send a reset, which can overtake the response.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// The I/O of one connection until it is upgraded.
///
/// Reads have a deadline while a head or the next request is awaited, writes while the peer takes nothing.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    permit: ConnectionPermit,
    phase: Arc<Phase>,
    head_timeout: Duration,
    keep_alive: Duration,
    write_timeout: Duration,
    reading: Deadline,
    writing: Deadline,
    /// `None` until the write half is shut.
    linger_left: Option<usize>,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, permit: ConnectionPermit, phase: Arc<Phase>, config: &HttpConfig) -> Self {
        Self {
            stream,
            permit,
            phase,
            head_timeout: config.head_timeout,
            keep_alive: config.keep_alive,
            write_timeout: config.write_timeout,
            reading: Deadline::default(),
            writing: Deadline::default(),
            linger_left: None,
        }
    }

    /// The bare stream, for what comes after HTTP; `None` when nothing but HTTP was agreed on.
    pub(crate) fn into_switched(self) -> Option<(S, ConnectionPermit)> {
        self.phase.has_switched().then_some((self.stream, self.permit))
    }

    fn first_bytes(&mut self) {
        match self.phase.kind() {
            Kind::New => {
                self.phase.enter(Kind::Head);
                self.reading.carry(self.phase.word());
            }
            Kind::Idle => self.phase.enter(Kind::Head),
            Kind::Head | Kind::Busy => {}
        }
    }

    /// What a read gives that has nothing to give now.
    fn wait_for_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let word = self.phase.word();
        match self.phase.kind() {
            Kind::Busy => Poll::Pending,
            // The end of input: hyper closes an idle connection in good order then.
            Kind::Idle => self.reading.poll(cx, word, self.keep_alive).map(Ok),
            Kind::New | Kind::Head => {
                ready!(self.reading.poll(cx, word, self.head_timeout));
                Poll::Ready(Err(timed_out("the request's head did not come in time")))
            }
        }
    }

    fn watch_write<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.writing.disarm();
            return write;
        }
        ready!(self.writing.poll(cx, 0, self.write_timeout));
        Poll::Ready(Err(timed_out("the peer did not read in time")))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    fn poll_linger(&mut self, cx: &mut Context<'_>, mut left: usize) -> Poll<io::Result<()>> {
        let mut waste = [0; 4096];
        while left > 0 {
            let mut buf = ReadBuf::new(&mut waste);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    left = left.saturating_sub(buf.filled().len());
                    self.linger_left = Some(left);
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(self.reading.poll(cx, u32::MAX, LINGER));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_pending() {
            return self.wait_for_input(cx);
        }
        if buf.filled().len() > before {
            self.first_bytes();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(cx, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Comes after the last write was taken; TLS may still hold some of it.
        let flush = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let left = match self.linger_left {
            Some(left) => left,
            None => {
                let shutdown = Pin::new(&mut self.stream).poll_shutdown(cx);
                ready!(self.watch_write(cx, shutdown))?;
                let left = if self.phase.has_unread_input() { LINGER_BYTES } else { 0 };
                *self.linger_left.insert(left)
            }
        };
        self.poll_linger(cx, left)
    }
}

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;
    use crate::permits::Permits;

    fn guarded() -> (Guarded<DuplexStream>, DuplexStream, Arc<Phase>) {
        let (ours, theirs) = duplex(16);
        let permit = Arc::new(Permits::default()).acquire([127, 0, 0, 1].into(), 1, None).unwrap();
        let phase = Arc::<Phase>::default();
        (Guarded::new(ours, permit, Arc::clone(&phase), &HttpConfig::default()), theirs, phase)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_do_not_move_the_deadline_of_a_head() {
        let (mut io, mut peer, _) = guarded();
        let start = Instant::now();
        let dripping = async {
            while peer.write_all(b"x").await.is_ok() {
                tokio::time::advance(Duration::from_secs(3)).await;
            }
        };
        let reading = async {
            let error = loop {
                if let Err(error) = io.read_u8().await {
                    break error;
                }
            };
            drop(io);
            error
        };
        let (error, ()) = tokio::join!(reading, dripping);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_in_good_order() {
        let (mut io, _peer, phase) = guarded();
        phase.enter(Kind::Idle);
        let start = Instant::now();
        assert_eq!(io.read(&mut [0; 4]).await.unwrap(), 0);
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_does_not_move_fails_and_one_that_moves_does_not() {
        let (mut io, mut peer, _) = guarded();
        io.write_all(&[0; 16]).await.unwrap();
        let reader = async {
            tokio::time::advance(Duration::from_secs(8)).await;
            peer.read_exact(&mut [0; 8]).await
        };
        let (written, read) = tokio::join!(io.write_all(&[0; 8]), reader);
        written.unwrap();
        read.unwrap();
        let error = io.write_all(&[0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn unread_input_is_thrown_away_for_a_second_at_most() {
        let (mut io, mut peer, phase) = guarded();
        phase.leave_unread();
        peer.write_all(&[0; 16]).await.unwrap();
        let start = Instant::now();
        io.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), LINGER);
    }
}
