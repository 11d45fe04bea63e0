//! A server on a free port, and a client that writes its frames by hand.

use std::{net::SocketAddr, time::Duration};

use narthex_core::{CloseReason, Gateway, Limits, Server, ServerHandle};
use narthex_ws::Ws;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Error};

/// No step of a test takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A future that must not hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// A client of tungstenite's.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Opens a WebSocket, or says with which status it was refused.
pub(crate) async fn open(addr: SocketAddr, path: &str) -> Result<Socket, u16> {
    let stream = TcpStream::connect(addr).await.unwrap();
    match soon(client_async(format!("ws://{addr}{path}"), stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: ServerHandle,
    pub(crate) serving: JoinHandle<narthex_core::Result<()>>,
    left: mpsc::UnboundedReceiver<CloseReason>,
}

impl TestServer {
    pub(crate) async fn start(ws: Ws, gateway: Gateway) -> Self {
        Self::with_limits(ws, gateway, Limits::default()).await
    }

    pub(crate) async fn with_limits(ws: Ws, gateway: Gateway, limits: Limits) -> Self {
        let (leave, left) = mpsc::unbounded_channel();
        let gateway = gateway.on_disconnect(move |reason: CloseReason| {
            let leave = leave.clone();
            async move { leave.send(reason).unwrap() }
        });
        let server = Server::new(gateway).adapter(ws).limits(limits);
        let bound = server.bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (addr, handle) = (bound.local_addr().unwrap(), bound.handle());
        Self { addr, handle, serving: tokio::spawn(bound.serve()), left }
    }

    /// Why the next client left.
    pub(crate) async fn left(&mut self) -> CloseReason {
        soon(self.left.recv()).await.unwrap()
    }

    /// A connection that has written `bytes`, and read nothing.
    pub(crate) async fn begin_with(&self, bytes: &[u8]) -> RawClient {
        let mut client = RawClient { stream: TcpStream::connect(self.addr).await.unwrap(), read: Vec::new() };
        client.write(bytes).await;
        client
    }

    pub(crate) async fn begin(&self, request: &str) -> RawClient {
        self.begin_with(request.as_bytes()).await
    }

    pub(crate) async fn connect(&self, path: &str) -> RawClient {
        let mut client = self.begin(&request(path, "")).await;
        let head = client.read_head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        client
    }

    /// The whole answer to a request, until the server ends the connection.
    pub(crate) async fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

/// A handshake with more headers, each with its line end.
pub(crate) fn request(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: here.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// A client's frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..65_536 => {
            frame.push(0xfe);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// An event in the default envelope.
pub(crate) fn event(name: &str, data: &str, id: Option<u64>) -> Vec<u8> {
    let id = id.map(|id| format!(r#","id":{id}"#)).unwrap_or_default();
    frame(TEXT, format!(r#"{{"event":"{name}","data":{data}{id}}}"#).as_bytes())
}

pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
    pub(crate) read: Vec<u8>,
}

impl RawClient {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// One more read; `false` at the end.
    pub(crate) async fn fill(&mut self) -> bool {
        // Room for everything that has come.
        self.read.reserve(64 * 1024);
        soon(self.stream.read_buf(&mut self.read)).await.unwrap() > 0
    }

    pub(crate) async fn read_head(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.read.split_off(end + 4);
                return String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
            }
            assert!(self.fill().await, "the connection ended in the head");
        }
    }

    /// The next frame that has wholly been read.
    pub(crate) fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (start, len) = match *self.read.get(..2)?.last()? {
            126 => (4, u16::from_be_bytes(self.read.get(2..4)?.try_into().ok()?).into()),
            127 => (10, u64::from_be_bytes(self.read.get(2..10)?.try_into().ok()?) as usize),
            len => (2, usize::from(len)),
        };
        let payload = self.read.get(start..start + len)?.to_vec();
        let first = self.read[0];
        self.read.drain(..start + len);
        Some((first, payload))
    }

    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        loop {
            if let Some(frame) = self.take_frame() {
                return frame;
            }
            assert!(self.fill().await, "the connection ended before a frame: {:?}", self.read);
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        let (first, payload) = self.frame().await;
        assert_eq!(first, TEXT);
        String::from_utf8(payload).unwrap()
    }

    /// Reads to the close frame and gives its code and reason.
    pub(crate) async fn close(&mut self) -> (u16, String) {
        loop {
            let (first, payload) = self.frame().await;
            if first == CLOSE {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                return (code, String::from_utf8(payload.get(2..).unwrap_or_default().to_vec()).unwrap());
            }
        }
    }

    /// The connection ends in good order, with nothing more to read.
    pub(crate) async fn ends(&mut self) {
        assert!(!self.fill().await, "{:?}", self.read);
        assert_eq!(self.read, b"");
    }
}
