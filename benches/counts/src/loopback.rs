//! A server on loopback, counted alone: its peer is a thread of its own, which callgrind does not count.

use std::{
    net::{SocketAddr, TcpStream},
    ops::Range,
    sync::mpsc,
    thread,
};

use tokio::{runtime::Runtime, sync::oneshot};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::{Result, section};

/// The one thread of a server.
///
/// # Errors
///
/// When the operating system gives none.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Has what `runtime` does counted while `peer` exchanges the messages of `counted`, after those of `warm_up`.
///
/// # Errors
///
/// Those of the peer.
pub(crate) fn count<P: Peer>(
    runtime: &Runtime,
    peer: impl FnOnce() -> Result<P> + Send + 'static,
    warm_up: u64,
    counted: u64,
) -> Result<u64> {
    let ((warm, is_warm), (go, may_go), (done, is_done)) =
        (oneshot::channel(), mpsc::channel(), oneshot::channel());
    let thread = thread::spawn(move || -> Result {
        let mut peer = peer()?;
        peer.exchange(0..warm_up)?;
        warm.send(()).map_err(|()| "the server's thread is gone")?;
        may_go.recv()?;
        peer.exchange(warm_up..warm_up + counted)?;
        done.send(()).map_err(|()| "the server's thread is gone".into())
    });
    let mut is_done = Some(is_done);
    if runtime.block_on(is_warm).is_ok() {
        go.send(())?;
        // Whether the peer was content is said by its thread.
        section::counted(&mut || {
            if let Some(is_done) = is_done.take() {
                drop(runtime.block_on(is_done));
            }
        });
    }
    thread.join().map_err(|_| "the peer panicked")??;
    Ok(counted)
}

/// The far end of a counted server.
pub(crate) trait Peer {
    /// Exchanges these messages and checks every answer.
    fn exchange(&mut self, messages: Range<u64>) -> Result;
}

/// A WebSocket client that blocks.
#[derive(Debug)]
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    /// Connects to a path.
    ///
    /// # Errors
    ///
    /// When the server is not there or refuses.
    pub(crate) fn open(addr: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        let (socket, _) = client(format!("ws://{addr}{path}"), stream).map_err(|error| error.to_string())?;
        Ok(Self(socket))
    }

    /// Puts a message into the next write.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub(crate) fn queue(&mut self, text: String) -> Result {
        Ok(self.0.write(Message::from(text))?)
    }

    /// Writes what is queued at once.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub(crate) fn flush(&mut self) -> Result {
        Ok(self.0.flush()?)
    }

    /// Waits for a text message, which must be this one.
    ///
    /// # Errors
    ///
    /// When it is another.
    pub(crate) fn expect(&mut self, text: &str) -> Result {
        let got = self.text()?;
        if got == text { Ok(()) } else { Err(format!("expected {text}, got {got}").into()) }
    }

    /// The next text message.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub(crate) fn text(&mut self) -> Result<String> {
        loop {
            if let Message::Text(text) = self.0.read()? {
                return Ok(text.as_str().to_owned());
            }
        }
    }
}

/// Asks, so many messages at a time, and takes the answers.
#[derive(Debug)]
pub(crate) struct Asker {
    /// The connection.
    pub(crate) client: Client,
    /// Messages of one write.
    pub(crate) window: u64,
    /// Message number n.
    pub(crate) request: fn(u64) -> String,
    /// Its answer, byte for byte; `None` where there must be none.
    pub(crate) answer: fn(u64) -> Option<String>,
}

impl Peer for Asker {
    fn exchange(&mut self, messages: Range<u64>) -> Result {
        let mut next = messages.start;
        while next < messages.end {
            let batch = next..messages.end.min(next + self.window);
            next = batch.end;
            for n in batch.clone() {
                self.client.queue((self.request)(n))?;
            }
            self.client.flush()?;
            for answer in batch.filter_map(self.answer) {
                self.client.expect(&answer)?;
            }
        }
        Ok(())
    }
}
