//! No envelope at all: every frame is one message.

use super::{
    DecodeError, DecodeLimits, Envelope, EnvelopeCapability, EventName, Frame, FrameKind, Incoming, Message,
    Outgoing, Payload,
};

/// Every frame is the payload of one event, and a bare value is one frame.
///
/// Text arrives as [`Payload::Text`] and leaves as text; bytes stay bytes. Events that the server emits have no form here, so
/// only replies can be sent.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    /// The event that every frame becomes.
    pub event: &'static str,
}

impl Default for Raw {
    fn default() -> Self {
        Self { event: "message" }
    }
}

impl Envelope for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability { server_acks: false, binary: true }
    }

    fn decode(&self, frame: &Frame, _: &DecodeLimits) -> Result<Incoming, DecodeError> {
        let payload = match frame {
            Frame::Text(text) => Payload::Text(text.clone()),
            Frame::Binary(bytes) => Payload::Binary(bytes.clone()),
        };
        Ok(Incoming::Message(Message::new(EventName::from_static(self.event), payload)))
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        let Outgoing::Value(payload) = outgoing else { return None };
        match payload {
            Payload::Empty => return None,
            Payload::Text(text) => out.extend_from_slice(text),
            Payload::Json(json) => out.extend_from_slice(json.as_bytes()),
            Payload::Args(args) => out.extend_from_slice(args.json().as_bytes()),
            Payload::Binary(bytes) => {
                out.extend_from_slice(bytes);
                return Some(FrameKind::Binary);
            }
        }
        Some(FrameKind::Text)
    }
}
