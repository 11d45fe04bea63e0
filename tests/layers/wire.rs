//! HTTP by hand, for what no polite client sends, and for each way in at one server.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A ws handshake.
pub(super) const UPGRADE: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// What a browser's `EventSource` asks for.
pub(super) const STREAM: &[(&str, &str)] = &[("accept", "text/event-stream")];

/// Where Socket.IO begins on polling.
pub(super) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Where Socket.IO begins on a WebSocket.
pub(super) const SOCKETIO: &str = "/socket.io/?EIO=4&transport=websocket";

/// What the first post to a session has to say.
pub(super) fn posting(token: &str) -> [(&'static str, &str); 3] {
    [("x-narthex-session", token), ("x-narthex-seq", "1"), ("content-type", "application/json")]
}

/// The head of an answer, and its connection.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    stream: TcpStream,
    read: String,
}

/// One request on a connection of its own.
pub(super) async fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\ncontent-length: {}\r\n{lines}\r\n", body.len());
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut answer = Answer { status: 0, headers: Vec::new(), stream, read: String::new() };
    let head = answer.until("\r\n\r\n").await;
    let mut lines = head.lines();
    answer.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.filter_map(|line| line.split_once(": "));
    answer.headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    answer
}

impl Answer {
    /// The value of a header. One that is there twice is a fault of its own.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(given, _)| given == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice: {:?}", self.headers);
        value
    }

    /// What comes until `end`, which is taken along.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.read.find(end) {
                let rest = self.read.split_off(at + end.len());
                return std::mem::replace(&mut self.read, rest);
            }
            let mut bytes = [0; 1024];
            let len = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("it answers").unwrap();
            assert!(len > 0, "it ended after {:?}", self.read);
            // Frames of a WebSocket may follow; nobody reads them.
            self.read.push_str(&String::from_utf8_lossy(&bytes[..len]));
        }
    }

    /// The token of the session that this stream has opened.
    pub(super) async fn token(&mut self) -> String {
        assert_eq!(self.status, 200);
        self.until(r#""session":""#).await;
        self.until("\"").await.trim_end_matches('"').to_owned()
    }
}
