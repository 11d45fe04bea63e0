//! A message parser of one's own, `setMessageParser`: `["push",{"test":"test"}]` in, NestJS's envelope out.

use narthex::{
    DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Incoming,
    Message, Nest, Outgoing, Payload, RawJson,
};
use serde_json::value::RawValue;

/// An event and its data as the two items of a list.
#[derive(Debug)]
pub(crate) struct Pairs;

impl Envelope for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::NONE
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        let text = frame.payload();
        limits.check_depth(text)?;
        let (event, data): (&RawValue, &RawValue) = serde_json::from_slice(text)
            .map_err(|_| DecodeError::new(DecodeErrorKind::Shape, "A message is [event, data]"))?;
        let event = limits.event_name(text, event)?;
        Ok(Incoming::Message(Message::new(event, Payload::Json(RawJson::borrowed(text, data)))))
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        Nest.encode(outgoing, out)
    }
}
