//! The default envelope on a transport of text.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use narthex_core::{
    DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Incoming,
    JsonEnvelope, Message, Outgoing, Payload, RawJson,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The default envelope with bytes as base64 (RFC 4648 section 4) inside of JSON, marked `"binary":true`.
///
/// ```text
/// {"event":"upload","data":"AAH/","binary":true}    {"ack":7,"data":"AAH/","binary":true}
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Base64Envelope;

/// What follows the members of a marked message.
const MARK: &[u8] = b",\"binary\":true}";

#[derive(Deserialize)]
struct Marked<'a> {
    #[serde(borrow, default)]
    binary: Option<&'a RawValue>,
}

/// Whether a message says that its data are bytes.
pub(crate) fn is_marked(text: &[u8]) -> bool {
    // Few messages are looked at twice.
    text.windows(8).any(|window| window == b"\"binary\"")
        && serde_json::from_slice::<Marked<'_>>(text)
            .is_ok_and(|marked| marked.binary.is_some_and(|binary| binary.get() == "true"))
}

fn decoded(payload: &Payload) -> Result<Payload, DecodeError> {
    const FAULT: DecodeError = DecodeError::new(DecodeErrorKind::Shape, "The data are not base64");
    let text: Cow<'_, str> = match payload {
        Payload::Empty => return Ok(Payload::Binary(Bytes::new())),
        Payload::Json(json) => serde_json::from_slice(json.as_bytes()).map_err(|_| FAULT)?,
        _ => return Err(FAULT),
    };
    STANDARD.decode(text.as_bytes()).map(|bytes| Payload::Binary(bytes.into())).map_err(|_| FAULT)
}

impl Envelope for Base64Envelope {
    fn name(&self) -> &'static str {
        "narthex.base64"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::ALL
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        let incoming = JsonEnvelope.decode(frame, limits)?;
        if !is_marked(frame.payload()) {
            return Ok(incoming);
        }
        Ok(match incoming {
            Incoming::Message(message) => {
                let ack = message.ack();
                let payload = decoded(message.payload()).map_err(|error| DecodeError { ack, ..error })?;
                Incoming::Message(Message::new(message.event().clone(), payload).with_ack(ack))
            }
            Incoming::Ack { id, result: Ok(payload) } => Incoming::Ack { id, result: Ok(decoded(&payload)?) },
            other => other,
        })
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        let bytes = match outgoing {
            Outgoing::Event { payload: Payload::Binary(bytes), .. }
            | Outgoing::Ack { payload: Payload::Binary(bytes), .. } => bytes,
            _ => return JsonEnvelope.encode(outgoing, out),
        };
        let payload = Payload::Json(RawJson::new(&STANDARD.encode(bytes)).ok()?);
        let outgoing = match outgoing {
            Outgoing::Event { event, ack, .. } => Outgoing::Event { event, payload: &payload, ack },
            Outgoing::Ack { id, .. } => Outgoing::Ack { id, payload: &payload },
            _ => return None,
        };
        let kind = JsonEnvelope.encode(outgoing, out)?;
        // The object's end makes room for one more member.
        out.pop();
        out.extend_from_slice(MARK);
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(outgoing: Outgoing<'_>) -> String {
        let mut out = Vec::new();
        assert_eq!(Base64Envelope.encode(outgoing, &mut out), Some(FrameKind::Text));
        String::from_utf8(out).unwrap()
    }

    fn decode(text: &str) -> Result<Incoming, DecodeError> {
        Base64Envelope.decode(&Frame::text(text), &DecodeLimits::default())
    }

    #[test]
    fn bytes_are_marked_base64_and_everything_else_is_the_default_envelope() {
        let bytes = Payload::Binary(Bytes::from_static(&[0, 1, 255]));
        let event = encode(Outgoing::Event { event: "up", payload: &bytes, ack: Some(3) });
        assert_eq!(event, r#"{"event":"up","data":"AAH/","id":3,"binary":true}"#);
        let ack = encode(Outgoing::Ack { id: 7, payload: &bytes });
        assert_eq!(ack, r#"{"ack":7,"data":"AAH/","binary":true}"#);
        let Ok(Incoming::Message(message)) = decode(&event) else { panic!("no message") };
        assert_eq!((message.event().as_str(), message.ack(), message.payload()), ("up", Some(3), &bytes));
        let Ok(Incoming::Ack { id: 7, result: Ok(answer) }) = decode(&ack) else { panic!("no answer") };
        assert_eq!(answer, bytes);
        let json = Payload::json("AAH/").unwrap();
        assert_eq!(encode(Outgoing::Ack { id: 7, payload: &json }), r#"{"ack":7,"data":"AAH/"}"#);
    }

    #[test]
    fn only_the_mark_makes_bytes_of_a_text() {
        for text in [
            r#"{"event":"binary","data":"AAH/"}"#,
            r#"{"event":"a","data":{"binary":true}}"#,
            r#"{"event":"a","data":"AAH/","binary":false}"#,
            r#"{"event":"a","data":"AAH/","binary":1}"#,
        ] {
            let Ok(Incoming::Message(message)) = decode(text) else { panic!("{text}") };
            assert!(matches!(message.payload(), Payload::Json(_)), "{text}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused_under_its_id() {
        for data in [r#""A""#, r#""AAH""#, r#""A\nH/""#, "[0,1]", "5", "null"] {
            let error =
                decode(&format!(r#"{{"event":"a","id":4,"binary":true,"data":{data}}}"#)).unwrap_err();
            assert_eq!((error.kind, error.ack), (DecodeErrorKind::Shape, Some(4)), "{data}");
        }
        let Ok(Incoming::Message(message)) = decode(r#"{"event":"a","binary":true}"#) else { panic!() };
        assert_eq!(message.payload(), &Payload::Binary(Bytes::new()));
    }
}
