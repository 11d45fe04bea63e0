//! The contract of envelopes: how a message is written as one frame.

use std::fmt;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{EventName, Frame, FrameKind, Message, Payload};

/// The number under which an answer is awaited. The sender of the request chooses it.
pub type AckId = u64;

/// What an envelope can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeCapability {
    /// The server may ask a client and await its answer.
    pub server_acks: bool,
    /// Payloads may be bytes.
    pub binary: bool,
}

impl EnvelopeCapability {
    /// Neither acks nor bytes.
    pub const NONE: Self = Self { server_acks: false, binary: false };
    /// Everything.
    pub const ALL: Self = Self { server_acks: true, binary: true };
}

/// The bounds a decoder keeps.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// How deep JSON arrays and objects may nest.
    pub json_depth: usize,
    /// The longest event name, in bytes.
    pub event_name: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { json_depth: 128, event_name: super::MAX_NAME_BYTES }
    }
}

impl DecodeLimits {
    /// These bounds with another JSON depth.
    #[must_use]
    pub fn with_json_depth(mut self, depth: usize) -> Self {
        self.json_depth = depth;
        self
    }

    /// Refuses text that nests too deep. For envelopes, before any parser.
    ///
    /// # Errors
    /// Kind `TooDeep`.
    pub fn check_depth(&self, text: &[u8]) -> Result<(), DecodeError> {
        super::json::check_depth(text, self)
    }

    /// Reads an event's name, which a parser has borrowed from `frame`: a string, or an object (a structural event).
    ///
    /// # Errors
    /// Kind `Event`.
    ///
    /// # Panics
    /// When `raw` was borrowed from elsewhere.
    pub fn event_name(&self, frame: &Bytes, raw: &RawValue) -> Result<EventName, DecodeError> {
        super::json::event_name(frame, raw, self)
    }
}

/// What a decoded frame was.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// The answer to a request of the server.
    Ack {
        /// The id of the request.
        id: AckId,
        /// The answer; `Err` holds the error as the client wrote it.
        result: Result<Payload, Payload>,
    },
}

/// What is to be written as one frame.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outgoing<'a> {
    /// An event, with an id where the server wants an answer.
    Event {
        /// The event's name.
        event: &'a str,
        /// Its payload.
        payload: &'a Payload,
        /// The id under which the answer is awaited.
        ack: Option<AckId>,
    },
    /// The answer to a client's request.
    Ack {
        /// The id of the request.
        id: AckId,
        /// The answer.
        payload: &'a Payload,
    },
    /// The failure of a client's request.
    AckError {
        /// The id of the request.
        id: AckId,
        /// The error, as JSON.
        error: &'a Payload,
    },
    /// A bare value that a handler returned although no answer was asked for.
    Value(&'a Payload),
}

/// Why a frame could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not the syntax that the envelope wants.
    Syntax,
    /// Nested deeper than allowed.
    TooDeep,
    /// The event is missing, not a name, or too long.
    Event,
    /// A member has the wrong type.
    Shape,
    /// Binary where text is expected, or the other way round.
    FrameKind,
}

/// Why a frame could not be read, and whom to tell.
#[derive(Clone, Debug)]
pub struct DecodeError {
    /// What was wrong.
    pub kind: DecodeErrorKind,
    /// The public sentence.
    pub message: &'static str,
    /// The ack id, where it could still be read.
    pub ack: Option<AckId>,
}

impl DecodeError {
    /// An error without an ack id.
    pub const fn new(kind: DecodeErrorKind, message: &'static str) -> Self {
        Self { kind, message, ack: None }
    }
}

/// How messages are written as frames, and read from them.
///
/// 1. `decode` MUST NOT panic, whatever the frame holds, and MUST take time linear in its size.
/// 2. `decode` MUST keep the bounds it is given.
/// 3. `encode` MUST append one whole frame's payload to `buffer` or leave it as it was and return `None`,
///    which means that this envelope has no form for it.
/// 4. `encode` SHOULD give the same bytes for the same input: a broadcast is encoded once for all clients.
pub trait Envelope: Send + Sync + fmt::Debug + 'static {
    /// The name by which a client may choose it (the WebSocket sub-protocol, RFC 6455 section 1.9).
    fn name(&self) -> &'static str;

    /// What it can carry.
    fn capability(&self) -> EnvelopeCapability;

    /// Reads one frame.
    ///
    /// # Errors
    /// [`DecodeError`]: the sender is told, the connection lives.
    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError>;

    /// Appends one frame's payload to `buffer`.
    fn encode(&self, outgoing: Outgoing<'_>, buffer: &mut Vec<u8>) -> Option<FrameKind>;
}
