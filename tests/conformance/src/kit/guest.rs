//! A peer that speaks the default envelope.

use std::collections::VecDeque;

use narthex_core::{DecodeLimits, Envelope, Frame, Incoming, JsonEnvelope, Outgoing, Payload};
use serde_json::Value;

use super::{Outcome, fail, soon};
use crate::door::Peer;

/// An answer: a value, or the error as it was written.
pub(crate) type Answer = Result<Value, Value>;

/// What a guest has read.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Event { event: String, payload: Payload, id: Option<u64> },
    Ack { id: u64, result: Result<Payload, Payload> },
}

/// A peer that speaks the default envelope.
pub(crate) struct Guest {
    peer: Box<dyn Peer>,
    next_id: u64,
    /// Read while something else was awaited.
    aside: VecDeque<Heard>,
}

/// JSON as it is; `null` where there is none.
pub(crate) fn json(payload: &Payload) -> Value {
    payload.parse().unwrap_or_default()
}

pub(crate) fn message_of(error: &Value) -> String {
    error["message"].as_str().unwrap_or_default().to_owned()
}

fn encode(outgoing: Outgoing<'_>) -> Outcome<Frame> {
    let mut buffer = Vec::new();
    let kind =
        JsonEnvelope.encode(outgoing, &mut buffer).ok_or_else(|| fail("the envelope has no form for it"))?;
    Ok(kind.frame(buffer.into()))
}

fn decode(frame: &Frame) -> Outcome<Heard> {
    match JsonEnvelope.decode(frame, &DecodeLimits::default()) {
        Ok(Incoming::Message(message)) => Ok(Heard::Event {
            event: message.event().to_string(),
            payload: message.payload().clone(),
            id: message.ack(),
        }),
        Ok(Incoming::Ack { id, result }) => Ok(Heard::Ack { id, result }),
        other => Err(fail(format!("{frame:?} cannot be read: {other:?}"))),
    }
}

impl Guest {
    pub(crate) fn new(peer: Box<dyn Peer>) -> Self {
        Self { peer, next_id: 1_000_000, aside: VecDeque::new() }
    }

    pub(crate) fn peer(&self) -> &dyn Peer {
        &*self.peer
    }

    pub(crate) fn abort(self) {
        self.peer.abort();
    }

    pub(crate) async fn close(&self, code: u16, text: &str) -> Outcome {
        soon(self.peer.close(code, text)).await
    }

    pub(crate) async fn raw(&self, frame: Frame) -> Outcome {
        Ok(soon(self.peer.send(frame)).await??)
    }

    pub(crate) async fn text(&self, text: impl Into<String>) -> Outcome {
        self.raw(Frame::text(text)).await
    }

    pub(crate) async fn send(&self, event: &str, payload: &Payload, ack: Option<u64>) -> Outcome {
        self.raw(encode(Outgoing::Event { event, payload, ack })?).await
    }

    pub(crate) async fn emit(&self, event: &str, data: Value) -> Outcome {
        self.send(event, &Payload::json(&data)?, None).await
    }

    /// Asks, and does not wait for the answer.
    pub(crate) async fn request(&self, event: &str, data: Value, id: u64) -> Outcome {
        self.send(event, &Payload::json(&data)?, Some(id)).await
    }

    pub(crate) async fn answer(&self, id: u64, data: Value) -> Outcome {
        self.raw(encode(Outgoing::Ack { id, payload: &Payload::json(&data)? })?).await
    }

    pub(crate) async fn refuse(&self, id: u64, error: Value) -> Outcome {
        self.raw(encode(Outgoing::AckError { id, error: &Payload::json(&error)? })?).await
    }

    pub(crate) async fn ask(&mut self, event: &str, data: Value) -> Outcome<Answer> {
        self.next_id += 1;
        let id = self.next_id;
        self.request(event, data, id).await?;
        self.answer_to(id).await
    }

    /// Asks and must be answered with a value.
    pub(crate) async fn value(&mut self, event: &str, data: Value) -> Outcome<Value> {
        let answer = self.ask(event, data).await?;
        answer.map_err(|error| fail(format!("{event} was answered with the error {error}")))
    }

    /// Asks and must be answered with an error.
    pub(crate) async fn error(&mut self, event: &str, data: Value) -> Outcome<String> {
        match self.ask(event, data).await? {
            Err(error) => Ok(message_of(&error)),
            Ok(value) => Err(fail(format!("{event} was answered with {value}"))),
        }
    }

    pub(crate) async fn answer_to(&mut self, wanted: u64) -> Outcome<Answer> {
        let heard = self.find(|heard| matches!(heard, Heard::Ack { id, .. } if *id == wanted)).await?;
        match heard {
            Heard::Ack { result, .. } => Ok(result.map(|p| json(&p)).map_err(|p| json(&p))),
            Heard::Event { .. } => Err(fail("an event is no answer")),
        }
    }

    /// The next answer, to whatever it is.
    pub(crate) async fn ack(&mut self) -> Outcome<(u64, Answer)> {
        match self.find(|heard| matches!(heard, Heard::Ack { .. })).await? {
            Heard::Ack { id, result } => Ok((id, result.map(|p| json(&p)).map_err(|p| json(&p)))),
            Heard::Event { .. } => Err(fail("an event is no answer")),
        }
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Outcome<(String, Value)> {
        let (event, payload, _) = self.event_with_id().await?;
        Ok((event, json(&payload)))
    }

    /// The next event, which must have this name, and its data.
    pub(crate) async fn expect(&mut self, name: &str) -> Outcome<Value> {
        match self.event().await? {
            (event, data) if event == name => Ok(data),
            other => Err(fail(format!("got {other:?}, want {name:?}"))),
        }
    }

    pub(crate) async fn event_with_id(&mut self) -> Outcome<(String, Payload, Option<u64>)> {
        match self.find(|heard| matches!(heard, Heard::Event { .. })).await? {
            Heard::Event { event, payload, id } => Ok((event, payload, id)),
            Heard::Ack { .. } => Err(fail("an answer is no event")),
        }
    }

    /// The next request of the server and its id.
    pub(crate) async fn asked(&mut self, name: &str) -> Outcome<u64> {
        match self.event_with_id().await? {
            (event, _, Some(id)) if event == name => Ok(id),
            other => Err(fail(format!("got {other:?}, want the request {name:?}"))),
        }
    }

    async fn find(&mut self, is_it: impl Fn(&Heard) -> bool) -> Outcome<Heard> {
        if let Some(at) = self.aside.iter().position(&is_it) {
            return self.aside.remove(at).ok_or_else(|| fail("it was there"));
        }
        loop {
            let heard = self.read().await?;
            if is_it(&heard) {
                return Ok(heard);
            }
            self.aside.push_back(heard);
        }
    }

    /// The next thing from the wire.
    pub(crate) async fn read(&self) -> Outcome<Heard> {
        match soon(self.peer.recv()).await? {
            Some(frame) => decode(&frame),
            None => Err(fail(format!("the connection ended: {:?}", self.peer.goodbye()))),
        }
    }

    /// All events up to the end, and the server's goodbye.
    pub(crate) async fn hear_out(mut self) -> Outcome<(Vec<Heard>, Option<(u16, String)>)> {
        let mut heard: Vec<_> = self.aside.drain(..).collect();
        while let Some(frame) = soon(self.peer.recv()).await? {
            heard.push(decode(&frame)?);
        }
        Ok((heard, self.peer.goodbye()))
    }

    /// The server's goodbye; what comes before is thrown away.
    pub(crate) async fn goodbye(&self) -> Outcome<Option<(u16, String)>> {
        while soon(self.peer.recv()).await?.is_some() {}
        Ok(self.peer.goodbye())
    }

    /// Everything up to the end as text, whatever it is, and what the goodbye says.
    pub(crate) async fn last_words(&self) -> Outcome<String> {
        let mut said = String::new();
        while let Some(frame) = soon(self.peer.recv()).await? {
            said.push_str(&String::from_utf8_lossy(frame.payload()));
        }
        said.extend(self.peer.goodbye().map(|(_, reason)| reason));
        Ok(said)
    }
}

impl Heard {
    /// The event's name and data; an answer has none.
    pub(crate) fn into_event(self) -> Option<(String, Value)> {
        match self {
            Self::Event { event, payload, .. } => Some((event, json(&payload))),
            Self::Ack { .. } => None,
        }
    }
}
