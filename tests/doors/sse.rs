//! Server-sent events with POST, reached by a client of HTTP/1.1 written by hand: it reads when it is asked to, and not
//! before.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use narthex::{
    Adapter, Capability, DecodeLimits, Envelope, Frame, Incoming, JsonEnvelope, Outgoing, Payload,
    adapters::Sse,
};
use narthex_conformance::{Arrive, Boxed, Dial, Door, Gone, Peer, Refused, Shows};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct SseDoor;

impl Door for SseDoor {
    fn shows(&self) -> Shows {
        let capability =
            Capability::default().with_binary(true).with_refuses_over_http(true).with_close_codes(true);
        Shows::new(capability).requests().address()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        // One transcript for all doors: here, too, a client is gone with its connection.
        (Adapter::new(Sse::new().grace(Duration::ZERO)), Box::new(SseDial))
    }
}

struct SseDial;

fn failed(error: impl std::fmt::Display) -> Refused {
    Refused { status: None, text: error.to_string() }
}

impl Dial for SseDial {
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        Box::pin(async move {
            let addr = addr.ok_or_else(|| failed("the server has no address"))?;
            let mut wire = Wire::connect(addr).await.map_err(failed)?;
            let mut headers = String::from("accept: text/event-stream\r\n");
            for (name, value) in &to.headers {
                headers.push_str(&format!("{name}: {value}\r\n"));
            }
            let (status, body) = wire.ask("GET", &to.path, &headers, b"").await.map_err(failed)?;
            if status != 200 {
                let text = String::from_utf8_lossy(&body).into_owned();
                return Err(Refused { status: Some(status), text });
            }
            let mut stream = Stream { wire, text: String::new() };
            let opening = stream.event().await.ok_or_else(|| failed("the stream ended at once"))?;
            let token: Value = serde_json::from_str(&opening.data).map_err(failed)?;
            let token = token["session"].as_str().ok_or_else(|| failed("no token came"))?.to_owned();
            let path = to.path.split('?').next().unwrap_or_default().to_owned();
            let poster = Poster { addr, path, token, wire: None, seq: 1 };
            Ok(
                Box::new(Far {
                    stream: Some(stream).into(),
                    poster: poster.into(),
                    goodbye: Mutex::default(),
                }) as Box<dyn Peer>,
            )
        })
    }
}

/// One connection of HTTP/1.1.
struct Wire {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    async fn connect(addr: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { socket: TcpStream::connect(addr).await?, read: Vec::new() })
    }

    async fn fill(&mut self) -> std::io::Result<()> {
        match self.socket.read_buf(&mut self.read).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// What comes before `end`.
    async fn until(&mut self, end: &[u8]) -> std::io::Result<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                let rest = self.read.split_off(at + end.len());
                let mut head = std::mem::replace(&mut self.read, rest);
                head.truncate(at);
                return String::from_utf8(head).map_err(std::io::Error::other);
            }
            self.fill().await?;
        }
    }

    async fn exactly(&mut self, len: usize) -> std::io::Result<Vec<u8>> {
        while self.read.len() < len {
            self.fill().await?;
        }
        let rest = self.read.split_off(len);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    /// A request and its answer; the body of a stream is left to be read.
    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let len = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: here\r\ncontent-length: {len}\r\n{headers}\r\n");
        self.socket.write_all(&[head.as_bytes(), body].concat()).await?;
        let head = self.until(b"\r\n\r\n").await?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = self.exactly(len.and_then(|len| len.parse().ok()).unwrap_or_default()).await?;
        Ok((status, body))
    }

    /// One chunk of a body (RFC 9112 section 7.1). Cancel safe: a chunk is taken when it is whole.
    async fn chunk(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.read.windows(2).position(|window| window == b"\r\n") {
                let size = std::str::from_utf8(&self.read[..line]).ok()?;
                let (begin, size) = (line + 2, usize::from_str_radix(size, 16).ok()?);
                if self.read.len() >= begin + size + 2 {
                    let chunk = String::from_utf8(self.read[begin..begin + size].to_vec()).ok()?;
                    self.read.drain(..begin + size + 2);
                    return Some(chunk).filter(|chunk| !chunk.is_empty());
                }
            }
            self.fill().await.ok()?;
        }
    }
}

struct Event {
    name: String,
    data: String,
}

struct Stream {
    wire: Wire,
    text: String,
}

impl Stream {
    async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let text = std::mem::replace(&mut self.text, rest);
                let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
                return Some(Event { name: field("event: ").to_owned(), data: field("data: ").to_owned() });
            }
            let chunk = self.wire.chunk().await?;
            self.text.push_str(&chunk);
        }
    }
}

struct Poster {
    addr: SocketAddr,
    path: String,
    token: String,
    wire: Option<Wire>,
    seq: u64,
}

impl Poster {
    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<u16> {
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => Wire::connect(self.addr).await.ok()?,
        };
        let headers = format!("x-narthex-session: {}\r\n{headers}", self.token);
        let (status, _) = wire.ask(method, path, &headers, body).await.ok()?;
        self.wire = Some(wire);
        Some(status)
    }

    async fn post(&mut self, body: &str) -> Result<(), Gone> {
        let media = if body.contains(['\r', '\n']) { "json" } else { "x-ndjson" };
        let path = self.path.clone();
        loop {
            let headers = format!("x-narthex-seq: {}\r\ncontent-type: application/{media}\r\n", self.seq);
            match self.ask("POST", &path, &headers, body.as_bytes()).await {
                Some(200) => {
                    self.seq += 1;
                    return Ok(());
                }
                // The server has let the request wait already.
                Some(429) => {}
                _ => return Err(Gone),
            }
        }
    }
}

/// A frame as this door writes it: bytes as base64.
fn written(frame: &Frame) -> String {
    if let Some(text) = frame.as_text() {
        return text.to_owned();
    }
    let base64 = |payload: &Payload| match payload {
        Payload::Binary(bytes) => STANDARD.encode(bytes),
        _ => String::new(),
    };
    let value = match JsonEnvelope.decode(frame, &DecodeLimits::default()) {
        Ok(Incoming::Message(message)) => {
            let mut value =
                json!({"event": message.event().as_str(), "data": base64(message.payload()), "binary": true});
            if let Some(id) = message.ack() {
                value["id"] = json!(id);
            }
            value
        }
        Ok(Incoming::Ack { id, result: Ok(payload) }) => {
            json!({"ack": id, "data": base64(&payload), "binary": true})
        }
        _ => json!({"event": "garbage", "data": "?", "binary": true}),
    };
    value.to_string()
}

/// What a frame of this door is in the default envelope.
fn read(data: String) -> Option<Frame> {
    let value: Value = serde_json::from_str(&data).ok()?;
    if value["binary"] != true {
        return Some(Frame::text(data));
    }
    let payload = Payload::Binary(STANDARD.decode(value["data"].as_str()?).ok()?.into());
    let outgoing = match (value["ack"].as_u64(), value["event"].as_str()) {
        (Some(id), _) => Outgoing::Ack { id, payload: &payload },
        (None, event) => Outgoing::Event { event: event?, payload: &payload, ack: value["id"].as_u64() },
    };
    let mut buffer = Vec::new();
    Some(JsonEnvelope.encode(outgoing, &mut buffer)?.frame(buffer.into()))
}

struct Far {
    stream: tokio::sync::Mutex<Option<Stream>>,
    poster: tokio::sync::Mutex<Poster>,
    goodbye: Mutex<Option<(u16, String)>>,
}

impl Far {
    fn note(&self, data: &str) -> Option<()> {
        let said: Value = serde_json::from_str(data).ok()?;
        let code = u16::try_from(said["code"].as_u64()?).ok()?;
        let said = (code, said["reason"].as_str()?.to_owned());
        *self.goodbye.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        Some(())
    }
}

impl Peer for Far {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(async move {
            let sent = self.poster.lock().await.post(&written(&frame)).await;
            if sent.is_err()
                && let Ok(mut stream) = self.stream.try_lock()
            {
                // A client whose message was refused gives up here, as one on a WebSocket is closed.
                *stream = None;
            }
            sent
        })
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        Box::pin(async {
            let mut stream = self.stream.lock().await;
            while let Some(event) = stream.as_mut()?.event().await {
                match event.name.as_str() {
                    "" => return read(event.data),
                    "close" => self.note(&event.data)?,
                    _ => {}
                }
            }
            *stream = None;
            None
        })
    }

    fn close<'a>(&'a self, code: u16, text: &'a str) -> Boxed<'a, ()> {
        Box::pin(async move {
            let mut poster = self.poster.lock().await;
            let path = format!("{}?code={code}&reason={}", poster.path, text.replace(' ', "+"));
            // The server may have closed in this moment.
            let _: Option<u16> = poster.ask("DELETE", &path, "", b"").await;
        })
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        self.goodbye.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn abort(self: Box<Self>) {}
}
