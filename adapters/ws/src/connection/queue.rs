//! What a socket did not take: a connection's own queue of bytes, without memory while it is empty.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

/// The most pieces of one vectored write.
const PIECES: usize = 16;

/// Bytes in the order in which they leave.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl WriteQueue {
    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes shared bytes without a copy.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.len += bytes.len();
            self.pieces.push_back(bytes);
        }
    }

    /// Takes a copy.
    pub(super) fn push_copy(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.push(Bytes::copy_from_slice(bytes));
        }
    }

    /// Writes what waits, then `last`, in as few writes as the socket allows. What of `last` is not taken
    /// moves into the queue. Says how many bytes left.
    ///
    /// # Errors
    /// What the socket says; a socket that takes zero bytes is [`io::ErrorKind::WriteZero`].
    pub(crate) fn flush<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut W,
        last: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let mut written = 0;
        if self.is_empty() && !last.is_empty() {
            // The common case: one plain write of everything.
            match Pin::new(&mut *socket).poll_write(cx, last) {
                Poll::Ready(Ok(count)) if count == last.len() => {
                    last.clear();
                    return Ok(count);
                }
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    written = count;
                    self.push_copy(&last[count..]);
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => self.push_copy(last),
            }
        } else {
            self.push_copy(last);
        }
        last.clear();
        while !self.is_empty() {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let mut used = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                *slice = IoSlice::new(piece);
                used += 1;
            }
            let socket = Pin::new(&mut *socket);
            let taken = match &slices[..used] {
                // Cheaper than a list of one.
                [one] => socket.poll_write(cx, one),
                many => socket.poll_write_vectored(cx, many),
            };
            match taken {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.advance(count);
                    written += count;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(written)
    }

    fn advance(&mut self, mut count: usize) {
        self.len -= count;
        while let Some(piece) = self.pieces.front_mut() {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.pieces.pop_front();
        }
        // Drained: nothing is kept.
        self.pieces = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// A socket that takes as many bytes a write as it is told, then is blocked.
    struct Socket {
        takes: VecDeque<usize>,
        got: Vec<u8>,
        writes: usize,
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let Some(takes) = self.takes.pop_front() else { return Poll::Pending };
            let count = takes.min(bytes.len());
            self.got.extend_from_slice(&bytes[..count]);
            self.writes += 1;
            Poll::Ready(Ok(count))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn socket(takes: impl IntoIterator<Item = usize>) -> Socket {
        Socket { takes: takes.into_iter().collect(), got: Vec::new(), writes: 0 }
    }

    #[test]
    fn an_open_socket_takes_all_in_one_write_and_nothing_is_kept() {
        let (mut queue, mut socket, mut last) = (WriteQueue::default(), socket([100]), b"all of it".to_vec());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(queue.flush(&mut cx, &mut socket, &mut last).unwrap(), 9);
        assert_eq!((socket.got.as_slice(), socket.writes, queue.len()), (&b"all of it"[..], 1, 0));
        assert_eq!(queue.pieces.capacity(), 0);
    }

    #[test]
    fn what_is_not_taken_waits_in_order() {
        let (mut queue, mut blocked, mut last) = (WriteQueue::default(), socket([3]), b"abcdef".to_vec());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(queue.flush(&mut cx, &mut blocked, &mut last).unwrap(), 3);
        queue.push(Bytes::from_static(b"ghi"));
        last.extend_from_slice(b"jkl");
        assert_eq!(queue.flush(&mut cx, &mut blocked, &mut last).unwrap(), 0);
        assert_eq!((queue.len(), last.is_empty()), (9, true));
        let mut open = socket([2; 9]);
        assert_eq!(queue.flush(&mut cx, &mut open, &mut last).unwrap(), 9);
        assert_eq!(open.got, b"defghijkl");
        assert_eq!(queue.pieces.capacity(), 0);
    }

    #[test]
    fn a_socket_that_takes_nothing_is_an_error() {
        let (mut queue, mut dead, mut last) = (WriteQueue::default(), socket([0, 0]), b"x".to_vec());
        let mut cx = Context::from_waker(Waker::noop());
        let error = queue.flush(&mut cx, &mut dead, &mut last).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
