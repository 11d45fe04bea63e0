//! Messages, and how they are written on a wire.

mod depth;
mod envelope;
mod flat;
mod frame;
mod json;
mod name;
mod nest;
mod payload;
mod raw;
mod scan;
mod serialize;

pub(crate) use self::depth::deeper_than;
pub use self::{
    envelope::{
        AckId, DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Incoming, Outgoing,
    },
    flat::Flat,
    frame::{Frame, FrameKind, Framing, Outlet},
    json::JsonEnvelope,
    name::{EventName, MAX_NAME_BYTES, check_name},
    nest::Nest,
    payload::{Arguments, Payload, RawJson},
    raw::Raw,
};

/// What travels: an event name, a payload and, where the sender wants an answer, an ack id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    event: EventName,
    payload: Payload,
    ack: Option<AckId>,
}

impl Message {
    /// A message without an ack id.
    pub fn new(event: EventName, payload: Payload) -> Self {
        Self { event, payload, ack: None }
    }

    /// The same message, asking for an answer under `id`.
    #[must_use]
    pub fn with_ack(mut self, id: Option<AckId>) -> Self {
        self.ack = id;
        self
    }

    /// The event's name.
    pub fn event(&self) -> &EventName {
        &self.event
    }

    /// What it carries.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The id under which the sender wants an answer.
    pub fn ack(&self) -> Option<AckId> {
        self.ack
    }
}
