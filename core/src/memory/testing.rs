//! The test kit: a server without a port, and clients that read like tests.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Memory, MemoryConnector, MemoryPeer};
use crate::{
    client::CloseReason,
    error::{Error, ErrorKind, Result},
    gateway::Gateway,
    message::{DecodeLimits, Envelope, Frame, Incoming, JsonEnvelope, Message, Outgoing, Payload, RawJson},
    room::Hub,
    serve::{BoundServer, Server},
    stats::Stats,
};

/// How long a test waits for what must come. Under a paused clock this costs nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server behind the in-memory adapter.
#[derive(Debug)]
pub struct TestServer {
    bound: BoundServer,
    connector: MemoryConnector,
}

impl TestServer {
    /// Serves one gateway.
    ///
    /// # Errors
    /// Those of [`Server::bind`].
    pub async fn new(gateway: Gateway) -> Result<Self> {
        Self::of(Server::new(gateway)).await
    }

    /// Serves what a server was given, behind the in-memory adapter too.
    ///
    /// # Errors
    /// Those of [`Server::bind`].
    pub async fn of(server: Server) -> Result<Self> {
        let memory = Memory::new();
        let connector = memory.connector();
        Ok(Self { bound: server.adapter(memory).open().await?, connector })
    }

    /// Connects a client to the namespace `/`.
    ///
    /// # Errors
    /// `Refused` with the status when the handshake is refused.
    pub async fn connect(&self) -> Result<TestClient> {
        self.connect_to("/").await
    }

    /// Connects a client to a path, with a query where wanted.
    ///
    /// # Errors
    /// `Refused` with the status when the handshake is refused.
    pub async fn connect_to(&self, path: &str) -> Result<TestClient> {
        let request = Request::get(path).body(());
        let request = request.map_err(|e| Error::new(ErrorKind::Config, "not a path").with_source(e))?;
        self.connect_with(request).await.map_err(|refusal| {
            Error::new(ErrorKind::Refused, format!("the handshake was refused: {}", refusal.status()))
        })
    }

    /// Connects a client with a request of its own.
    ///
    /// # Errors
    /// The refusal.
    pub async fn connect_with(
        &self,
        request: Request<()>,
    ) -> std::result::Result<TestClient, Response<Bytes>> {
        let peer = self.connector.connect(request).await?;
        Ok(TestClient { peer, next_id: 0, events: VecDeque::new() })
    }

    /// The hub of a namespace's concrete path.
    pub fn hub(&self, path: &str) -> Option<Hub> {
        self.bound.hub(path)
    }

    /// What the server counted.
    pub fn stats(&self) -> Stats {
        self.bound.stats()
    }

    /// Drains the server.
    ///
    /// # Errors
    /// Those of [`BoundServer::drain`].
    pub async fn drain(self) -> Result<()> {
        self.bound.drain().await
    }
}

/// One event that a [`TestClient`] received.
#[derive(Clone, Debug, PartialEq)]
pub struct TestMessage {
    /// The event's name.
    pub event: String,
    /// Its data; `null` where there is none.
    pub data: Value,
    /// The id under which the server awaits an answer.
    pub ack: Option<u64>,
}

/// A client of a [`TestServer`].
#[derive(Debug)]
pub struct TestClient {
    peer: MemoryPeer,
    next_id: u64,
    /// Events that came while an answer was awaited.
    events: VecDeque<TestMessage>,
}

impl TestClient {
    /// Sends an event.
    ///
    /// # Errors
    /// `Disconnected`, `Encode`.
    pub async fn emit<T: Serialize + ?Sized>(&mut self, event: &str, data: &T) -> Result<()> {
        self.send(Outgoing::Event { event, payload: &Payload::json(data)?, ack: None }).await
    }

    /// Sends an event and awaits its answer.
    ///
    /// # Errors
    /// `Refused` with the message of the error ack, `Timeout`, `Disconnected`, `Encode`.
    pub async fn ask<R: DeserializeOwned>(
        &mut self,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<R> {
        let answer = self.ask_value(event, data).await?;
        let unfit = |e| Error::new(ErrorKind::Encode, "the answer is of another type").with_source(e);
        match answer {
            Ok(value) => serde_json::from_value(value).map_err(unfit),
            Err(error) => {
                Err(Error::new(ErrorKind::Refused, error["message"].as_str().unwrap_or_default().to_owned()))
            }
        }
    }

    /// Sends an event and awaits its answer, or the error as it was written.
    ///
    /// # Errors
    /// `Timeout`, `Disconnected`, `Encode`.
    pub async fn ask_value(
        &mut self,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<std::result::Result<Value, Value>> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(Outgoing::Event { event, payload: &Payload::json(data)?, ack: Some(id) }).await?;
        loop {
            match self.read().await? {
                Read::Event(message) => self.events.push_back(message),
                Read::Ack(of, answer) if of == id => return Ok(answer),
                Read::Ack(..) => {}
            }
        }
    }

    /// The next event.
    ///
    /// # Errors
    /// `Timeout` after ten seconds, `Disconnected`.
    pub async fn next(&mut self) -> Result<TestMessage> {
        if let Some(message) = self.events.pop_front() {
            return Ok(message);
        }
        loop {
            if let Read::Event(message) = self.read().await? {
                return Ok(message);
            }
        }
    }

    /// The next event's data, which must be of this name.
    ///
    /// # Errors
    /// `Refused` when another event comes, and those of [`next`](Self::next).
    pub async fn expect(&mut self, event: &str) -> Result<Value> {
        let message = self.next().await?;
        if message.event == event {
            return Ok(message.data);
        }
        Err(Error::new(ErrorKind::Refused, format!("expected {event:?}, got {message:?}")))
    }

    /// Answers a request of the server.
    ///
    /// # Errors
    /// `Disconnected`, `Encode`.
    pub async fn answer<T: Serialize + ?Sized>(&mut self, id: u64, data: &T) -> Result<()> {
        self.send(Outgoing::Ack { id, payload: &Payload::json(data)? }).await
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// `Disconnected`.
    pub async fn send_frame(&mut self, frame: Frame) -> Result<()> {
        self.peer.send(frame).await
    }

    /// The next frame as it is, an event or an answer. Not for use beside [`next`](Self::next), which may have taken it.
    ///
    /// # Errors
    /// `Timeout` after ten seconds, `Disconnected`.
    pub async fn next_frame(&mut self) -> Result<Frame> {
        let late = |_| Error::new(ErrorKind::Timeout, "nothing came");
        let frame = tokio::time::timeout(PATIENCE, self.peer.recv()).await.map_err(late)?;
        frame.ok_or_else(|| Error::new(ErrorKind::Disconnected, "the server has closed"))
    }

    /// Waits until the server has closed, and says why. Events that still come are dropped.
    pub async fn closed(&mut self) -> Option<CloseReason> {
        while self.peer.recv().await.is_some() {}
        self.peer.close_reason()
    }

    /// Says goodbye.
    pub fn close(&mut self, code: u16, text: &str) {
        self.peer.close(code, text);
    }

    async fn send(&mut self, outgoing: Outgoing<'_>) -> Result<()> {
        let mut buffer = Vec::new();
        let unfit = || Error::new(ErrorKind::Unsupported, "the envelope has no form for it");
        let kind = JsonEnvelope.encode(outgoing, &mut buffer).ok_or_else(unfit)?;
        self.peer.send(kind.frame(buffer.into())).await
    }

    async fn read(&mut self) -> Result<Read> {
        let frame = self.next_frame().await?;
        let unread = |e| Error::new(ErrorKind::Encode, format!("the server's frame cannot be read: {e:?}"));
        Ok(match JsonEnvelope.decode(&frame, &DecodeLimits::default()).map_err(unread)? {
            Incoming::Message(message) => Read::Event(test_message(&message)),
            Incoming::Ack { id, result } => Read::Ack(id, result.map(|p| value(&p)).map_err(|p| value(&p))),
        })
    }
}

enum Read {
    Event(TestMessage),
    Ack(u64, std::result::Result<Value, Value>),
}

fn test_message(message: &Message) -> TestMessage {
    TestMessage { event: message.event().to_string(), data: value(message.payload()), ack: message.ack() }
}

/// JSON as it is; bytes as a list of numbers.
fn value(payload: &Payload) -> Value {
    match payload {
        Payload::Binary(bytes) => Value::from(bytes.to_vec()),
        other => other.parse().unwrap_or_else(|_| RawJson::null().parse().unwrap_or_default()),
    }
}
