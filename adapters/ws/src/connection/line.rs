//! The socket, where the connection's own task and whoever sends to the client both reach it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    task::{Context, Poll},
};

use narthex_core::{DirectWrite, Outlet};
use narthex_http::HttpStream;
use tokio::io::AsyncWrite;

use super::{outlet::FrameOutlet, queue::WriteQueue, scratch};

/// A connection's socket and what waits for it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: HttpStream,
    /// Framed and not written: the socket had no room for it.
    pub(crate) queue: WriteQueue,
}

impl Socket {
    pub(crate) fn new(stream: HttpStream) -> Self {
        Self { stream, queue: WriteQueue::default() }
    }

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

/// The lock around a socket. The connection's task holds it for a turn, a sender for one write: whoever finds it held
/// leaves the writing to the task. It is never held over an await.
#[derive(Debug)]
pub(crate) struct Line(Mutex<Option<Socket>>);

impl Line {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(Mutex::new(Some(socket)))
    }

    /// `None` once it has been taken.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Socket>> {
        // A panic in a turn ends the connection, and with it whatever was left half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the socket out: from now on nobody but the taker writes.
    pub(crate) fn take(&self) -> Option<Socket> {
        self.lock().take()
    }
}

/// Ends a line with the connection that it belongs to: clients are held for longer, sockets are not.
#[derive(Debug)]
pub(super) struct Owned(pub(super) Arc<Line>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.take();
    }
}

impl DirectWrite for Line {
    fn write(&self, drain: &mut dyn FnMut(&mut dyn Outlet)) -> bool {
        let mut socket = match self.0.try_lock() {
            Ok(socket) => socket,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let Some(Socket { stream, queue }) = &mut *socket else { return true };
        let Some(tcp) = stream.as_tcp().filter(|_| queue.is_empty()) else { return false };
        scratch::with(|scratch| {
            let output = &mut scratch.output;
            drain(&mut FrameOutlet::new(output, queue));
            if queue.is_empty() && output.is_empty() {
                return true;
            }
            // What is behind a large frame leaves with it. The task also finds out what is wrong with a socket.
            let written = if queue.is_empty() { tcp.try_write(output).unwrap_or(0) } else { 0 };
            queue.push_copy(&output[written..]);
            queue.is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    async fn line() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        // So that the runtime knows that it can be written to.
        stream.write_all(b".").await.unwrap();
        (Line::new(Socket::new(stream.into())), peer)
    }

    fn write(line: &Line, texts: &[&str]) -> bool {
        line.write(&mut |out| texts.iter().for_each(|text| out.text(text.as_bytes())))
    }

    fn waiting(line: &Line) -> usize {
        line.lock().as_ref().unwrap().queue.len()
    }

    #[tokio::test]
    async fn a_free_socket_takes_everything_at_once() {
        let (line, mut peer) = line().await;
        assert!(write(&line, &["a", "b"]));
        assert!(write(&line, &[]));
        let mut got = [0; 7];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b".\x81\x01a\x81\x01b");
    }

    #[tokio::test]
    async fn while_the_task_is_at_work_nothing_is_taken() {
        let (line, _peer) = line().await;
        let turn = line.lock();
        assert!(!line.write(&mut |_| panic!("the task does that")));
        drop(turn);
        assert!(write(&line, &["a"]));
    }

    #[tokio::test]
    async fn what_a_full_socket_does_not_take_waits_and_is_the_tasks_to_write() {
        let (line, _peer) = line().await;
        let large = "x".repeat(4 * 1024);
        let writes = (0..100_000).take_while(|_| write(&line, &[&large])).count();
        assert!(writes < 100_000);
        let left = waiting(&line);
        assert!(left > 0 && left <= large.len() + 4);
        assert!(!line.write(&mut |_| panic!("something waits already")));
        assert_eq!(waiting(&line), left);
    }

    #[tokio::test]
    async fn nothing_is_written_behind_the_end() {
        let (line, mut peer) = line().await;
        drop(line.take());
        assert!(line.write(&mut |_| panic!("there is no socket any more")));
        let mut got = Vec::new();
        peer.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b".");
    }

    /// Sends when its thread ends.
    struct LastWords(Arc<Line>);

    impl Drop for LastWords {
        fn drop(&mut self) {
            assert!(write(&self.0, &["bye"]));
        }
    }

    thread_local! {
        static LAST_WORDS: Cell<Option<LastWords>> = const { Cell::new(None) };
    }

    #[tokio::test]
    async fn a_thread_that_ends_may_still_send() {
        let (line, mut peer) = line().await;
        let line = Arc::new(line);
        let sender = Arc::clone(&line);
        let thread = std::thread::spawn(move || {
            LAST_WORDS.set(Some(LastWords(Arc::clone(&sender))));
            // Buffers of its own, which go before its last words.
            assert!(write(&sender, &["a"]));
        });
        thread.join().unwrap();
        let mut got = [0; 9];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b".\x81\x01a\x81\x03bye");
    }
}
