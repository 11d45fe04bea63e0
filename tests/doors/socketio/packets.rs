//! Frames of the suite as packets of socket.io-protocol v5, and back.

use std::collections::VecDeque;

use bytes::Bytes;
use narthex::{DecodeLimits, Envelope, Frame, Incoming, JsonEnvelope, Outgoing, Payload};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// What stands for an attachment.
const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;

/// A packet's text, without the engine's digit, and its attachments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) text: String,
    pub(super) attachments: Vec<Bytes>,
}

/// Packets to and from one namespace.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    /// What stands between a packet's type and its id: nothing for `/`.
    prefix: String,
}

/// A whole message of the default envelope.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    ack: Option<u64>,
}

/// The suite's largest id is the largest that Socket.IO has.
fn narrow(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn widen(id: i64) -> u64 {
    if id == i64::MAX { u64::MAX } else { u64::try_from(id).unwrap_or_default() }
}

/// An error of any shape as an argument that is read as one.
fn marked(error: &RawValue) -> String {
    let mut error: Value = serde_json::from_str(error.get()).unwrap_or_default();
    if let Some(members) = error.as_object_mut() {
        members.entry("status").or_insert_with(|| json!("error"));
    }
    error.to_string()
}

fn is_error(argument: &RawValue) -> bool {
    let value: Value = serde_json::from_str(argument.get()).unwrap_or_default();
    value["status"] == "error" && value["message"].is_string()
}

impl Packets {
    pub(super) fn of(namespace: &str) -> Self {
        Self { prefix: if namespace == "/" { String::new() } else { format!("{namespace},") } }
    }

    pub(super) fn connect(&self) -> String {
        format!("0{}{{}}", self.prefix)
    }

    pub(super) fn disconnect(&self) -> String {
        format!("1{}", self.prefix)
    }

    fn event(&self, id: Option<u64>, array: &str, attachments: Vec<Bytes>) -> Packet {
        let id = id.map(|id| narrow(id).to_string()).unwrap_or_default();
        let digit = if attachments.is_empty() { "2" } else { "51-" };
        Packet { text: format!("{digit}{}{id}{array}", self.prefix), attachments }
    }

    fn ack(&self, id: u64, array: &str, attachments: Vec<Bytes>) -> Packet {
        let digit = if attachments.is_empty() { "3" } else { "61-" };
        Packet { text: format!("{digit}{}{}{array}", self.prefix, narrow(id)), attachments }
    }

    /// What a frame of the suite is in Socket.IO. What is no message stands where the event's array should be.
    pub(super) fn write(&self, frame: &Frame) -> Packet {
        let Some(text) = frame.as_text() else { return self.write_binary(frame) };
        match serde_json::from_str::<Written<'_>>(text) {
            Ok(Written { ack: Some(id), data, error, .. }) => {
                let argument = error.map(marked).or_else(|| data.map(|data| data.get().to_owned()));
                self.ack(id, &format!("[{}]", argument.unwrap_or_default()), Vec::new())
            }
            Ok(Written { event, data, id, .. }) => {
                let elements: Vec<_> = event.into_iter().chain(data).map(RawValue::get).collect();
                self.event(id, &format!("[{}]", elements.join(",")), Vec::new())
            }
            Err(_) => self.event(None, text, Vec::new()),
        }
    }

    fn write_binary(&self, frame: &Frame) -> Packet {
        match JsonEnvelope.decode(frame, &DecodeLimits::default()) {
            Ok(Incoming::Message(message)) => {
                let Payload::Binary(bytes) = message.payload().clone() else {
                    unreachable!("a binary frame carries bytes")
                };
                let array = format!("[{},{PLACEHOLDER}]", json!(message.event().as_str()));
                self.event(message.ack(), &array, vec![bytes])
            }
            Ok(Incoming::Ack { id, result: Ok(Payload::Binary(bytes)) }) => {
                self.ack(id, &format!("[{PLACEHOLDER}]"), vec![bytes])
            }
            _ => self.event(None, "[]", vec![frame.payload().clone()]),
        }
    }

    /// How many attachments follow a packet's text.
    pub(super) fn attachments(text: &str) -> usize {
        let count = text.strip_prefix(['5', '6']).and_then(|rest| rest.split_once('-'));
        count.and_then(|(count, _)| count.parse().ok()).unwrap_or_default()
    }

    /// The packet's array, behind its type, namespace and id; `None` for another namespace's.
    fn open<'a>(&self, text: &'a str) -> Option<(char, Option<u64>, Vec<&'a RawValue>)> {
        let digit = text.chars().next()?;
        let rest = match digit {
            '5' | '6' => text.split_once('-')?.1,
            _ => &text[1..],
        };
        let rest = rest.strip_prefix(self.prefix.as_str())?;
        let (id, array) = rest.split_at(rest.find('[')?);
        let id = if id.is_empty() { None } else { Some(widen(id.parse().ok()?)) };
        Some((digit, id, serde_json::from_str(array).ok()?))
    }

    /// What a packet of the server is in the default envelope; `None` where it has no form there.
    pub(super) fn read(&self, text: &str, attachments: Vec<Bytes>) -> Option<Frame> {
        let (digit, id, mut elements) = self.open(text)?;
        let mut attachments = VecDeque::from(attachments);
        let event = match digit {
            '2' | '5' => Some(serde_json::from_str::<String>(elements.remove(0).get()).ok()?),
            _ => None,
        };
        let payload = match (elements.as_slice(), attachments.pop_front()) {
            ([_], Some(bytes)) => Payload::Binary(bytes),
            ([], _) => Payload::Empty,
            ([only], None) => Payload::json(*only).ok()?,
            (many, _) => Payload::json(many).ok()?,
        };
        let outgoing = match (&event, id) {
            (Some(event), ack) => Outgoing::Event { event, payload: &payload, ack },
            (None, Some(id)) if elements.first().is_some_and(|first| is_error(first)) => {
                Outgoing::AckError { id, error: &payload }
            }
            (None, Some(id)) => Outgoing::Ack { id, payload: &payload },
            (None, None) => return None,
        };
        let mut written = Vec::new();
        let kind = JsonEnvelope.encode(outgoing, &mut written)?;
        Some(kind.frame(written.into()))
    }

    /// The words of a CONNECT_ERROR.
    pub(super) fn refusal(&self, text: &str) -> Option<String> {
        let body = text.strip_prefix('4')?.strip_prefix(self.prefix.as_str())?;
        let body: Value = serde_json::from_str(body).ok()?;
        Some(body["message"].as_str().unwrap_or_default().to_owned())
    }
}
