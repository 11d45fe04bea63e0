//! The envelope of NestJS's raw WebSocket adapter.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Incoming,
    Message, Outgoing, Payload,
    json::{check_depth, check_object, event_name, present, raw_payload, write_json, write_string},
};

/// `{"event":…,"data":…}` both ways, as `@nestjs/platform-ws` writes it.
///
/// An `id` is ignored and not echoed; a bare value is bare JSON; binary frames are read as text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nest;

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    event: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
}

impl Envelope for Nest {
    fn name(&self) -> &'static str {
        "nest"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::NONE
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        let text = frame.payload();
        check_depth(text, limits)?;
        let wire: Wire<'_> = serde_json::from_slice(text).map_err(|e| syntax(&e))?;
        check_object(text)?;
        let event = wire.event.ok_or(DecodeError::new(DecodeErrorKind::Event, "The event is missing"))?;
        let event = event_name(text, event, limits)?;
        let payload = wire.data.map_or(Payload::Empty, |data| raw_payload(text, data));
        Ok(Incoming::Message(Message::new(event, payload)))
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        match outgoing {
            Outgoing::Event { event, payload, .. } => write_event(event, payload, out),
            Outgoing::Value(payload) => write_json(payload, out),
            Outgoing::Ack { .. } | Outgoing::AckError { .. } => return None,
        }
        Some(FrameKind::Text)
    }
}

/// Tells bad JSON from JSON of another shape.
pub(super) fn syntax(error: &serde_json::Error) -> DecodeError {
    if error.is_data() {
        DecodeError::new(DecodeErrorKind::Shape, "The message does not have the expected shape")
    } else {
        DecodeError::new(DecodeErrorKind::Syntax, "The message is not valid JSON")
    }
}

/// Writes `{"event":…,"data":…}`; bytes are refused by the capability before this is reached.
pub(super) fn write_event(event: &str, payload: &Payload, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event\":");
    write_string(event, out);
    if *payload != Payload::Empty && *payload != Payload::Binary(Bytes::new()) {
        out.extend_from_slice(b",\"data\":");
        write_json(payload, out);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_frames_are_read_as_text_and_ids_ignored() {
        let frame = Frame::binary(&br#"{"event":"e","data":1,"id":9}"#[..]);
        let Ok(Incoming::Message(message)) = Nest.decode(&frame, &DecodeLimits::default()) else { panic!() };
        assert_eq!((message.event().as_str(), message.ack()), ("e", None));
    }

    #[test]
    fn a_bare_value_is_bare_json() {
        let mut out = Vec::new();
        Nest.encode(Outgoing::Value(&Payload::json("pong").unwrap()), &mut out).unwrap();
        assert_eq!(out, b"\"pong\"");
    }
}
