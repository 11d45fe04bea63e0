//! Peers that speak packets by hand, over WebSocket and over polling.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::house::soon;

/// A session on WebSocket.
pub(crate) struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    /// Opens a session, and is in no namespace.
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        Self::open_as(addr, 4).await
    }

    async fn open_as(addr: SocketAddr, version: u8) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let url = format!("ws://{addr}/socket.io/?EIO={version}&transport=websocket");
        let (socket, _) = soon(client_async(url, stream)).await.unwrap();
        let mut peer = Self(socket);
        assert!(peer.next().await.unwrap().starts_with("0{"));
        peer
    }

    /// Opens a session of Engine.IO 3.
    #[cfg(feature = "eio3")]
    pub(crate) async fn open_old(addr: SocketAddr) -> Self {
        Self::open_as(addr, 3).await
    }

    /// The status with which a session of Engine.IO 3 is refused.
    #[cfg(feature = "eio3")]
    pub(crate) async fn refused_old(addr: SocketAddr) -> u16 {
        use tokio_tungstenite::tungstenite::Error;

        let stream = TcpStream::connect(addr).await.unwrap();
        let url = format!("ws://{addr}/socket.io/?EIO=3&transport=websocket");
        match soon(client_async(url, stream)).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("{other:?}"),
        }
    }

    /// Is in a namespace, `/` being "".
    pub(crate) async fn connect(addr: SocketAddr, namespace: &str) -> Self {
        let mut peer = Self::open(addr).await;
        peer.enter(namespace).await;
        peer
    }

    /// Enters one more namespace.
    pub(crate) async fn enter(&mut self, namespace: &str) {
        let comma = if namespace.is_empty() { "" } else { "," };
        self.send(&format!("40{namespace}{comma}")).await;
        let answer = self.next().await.unwrap();
        assert!(answer.starts_with(&format!("40{namespace}{comma}{{\"sid\":")), "{answer}");
    }

    pub(crate) async fn send(&mut self, packet: &str) {
        self.push(Message::text(packet)).await;
    }

    /// Sends, whether or not anybody is there.
    pub(crate) async fn push(&mut self, message: Message) {
        // The server may have closed in this moment.
        let _ = soon(self.0.send(message)).await;
    }

    /// Hands several packets over in one write.
    pub(crate) async fn send_together(&mut self, packets: &[&str]) {
        for packet in packets {
            self.0.feed(Message::text(*packet)).await.unwrap();
        }
        soon(self.0.flush()).await.unwrap();
    }

    /// The next packet, pings apart; `None` at the end, which the engine's close packet is too. Bytes read as their number.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            match soon(self.0.next()).await? {
                Ok(Message::Text(text)) if text.as_str() == "2" => self.send("3").await,
                Ok(Message::Text(text)) if text.as_str() == "1" => return None,
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Binary(bytes)) => return Some(format!("{} bytes", bytes.len())),
                Ok(_) => {}
                // An error is the end too: the connection was cut.
                Err(_) => return None,
            }
        }
    }

    pub(crate) async fn expect(&mut self, packet: &str) {
        assert_eq!(self.next().await.as_deref(), Some(packet));
    }

    /// Everything up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        while let Some(packet) = self.next().await {
            packets.push(packet);
        }
        packets
    }
}

/// A request that was sent, on a connection of its own.
pub(crate) struct Asked(TcpStream);

async fn request(addr: SocketAddr, method: &str, query: &str, body: &str) -> Asked {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "{method} /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\
         Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    Asked(stream)
}

impl Asked {
    /// The status and the packets.
    pub(crate) async fn answer(mut self) -> (u16, Vec<String>) {
        let mut answer = String::new();
        soon(self.0.read_to_string(&mut answer)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, body.split('\x1e').map(str::to_owned).collect())
    }
}

/// A session on polling.
pub(crate) struct Poller {
    addr: SocketAddr,
    query: String,
}

impl Poller {
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        let (status, packets) = request(addr, "GET", "", "").await.answer().await;
        assert_eq!(status, 200, "{packets:?}");
        let sid = packets[0].split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        Self { addr, query: format!("&sid={sid}") }
    }

    /// Is in the namespace `/`.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let poller = Self::open(addr).await;
        assert_eq!(poller.post("40").await, 200);
        let (status, packets) = poller.poll().await;
        assert!(status == 200 && packets[0].starts_with("40{"), "{status} {packets:?}");
        poller
    }

    pub(crate) async fn post(&self, packets: &str) -> u16 {
        request(self.addr, "POST", &self.query, packets).await.answer().await.0
    }

    pub(crate) async fn poll(&self) -> (u16, Vec<String>) {
        self.begin_poll().await.answer().await
    }

    /// Polls, and does not wait for the answer.
    pub(crate) async fn begin_poll(&self) -> Asked {
        request(self.addr, "GET", &self.query, "").await
    }
}
