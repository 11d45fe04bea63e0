//! The default envelope: `{"event":…,"data":…,"id":…}` and `{"ack":…,"data":…}`, with a binary form.

use std::borrow::Cow;

use bytes::{BufMut, Bytes};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    AckId, DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, EventName, Frame,
    FrameKind, Incoming, Message, Outgoing, Payload, RawJson, deeper_than, scan::scan,
};

/// The default envelope of the ws and sse doors.
///
/// ```text
/// C→S {"event":"greet","data":"Ada","id":7}    S→C {"ack":7,"data":"hello, Ada"}
///                                              S→C {"ack":7,"error":{"status":"error","message":"…"}}
/// S→C {"event":"sure?","data":1,"id":3}        C→S {"ack":3,"data":true}
/// ```
///
/// A binary payload is one binary frame: `u8` kind (1 event, 2 ack), `u8` flags (bit 0: an ack id is
/// present), `u16` event length, the event, `u64` ack id if flagged, the payload; big endian.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonEnvelope;

const KIND_EVENT: u8 = 1;
const KIND_ACK: u8 = 2;
const FLAG_ACK: u8 = 1;

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    event: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default)]
    id: Option<AckId>,
    #[serde(default)]
    ack: Option<AckId>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Envelope for JsonEnvelope {
    fn name(&self) -> &'static str {
        "narthex.json"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::ALL
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        match frame {
            Frame::Text(text) => decode_text(text, limits),
            Frame::Binary(bytes) => decode_binary(bytes, limits),
        }
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        match outgoing {
            Outgoing::Event { payload: Payload::Args(args), .. }
            | Outgoing::Ack { payload: Payload::Args(args), .. }
                if !args.attachments().is_empty() =>
            {
                None
            }
            Outgoing::Event { event, payload: Payload::Binary(bytes), ack } => {
                encode_binary(KIND_EVENT, event, ack, bytes, out)
            }
            Outgoing::Event { event, payload, ack } => {
                out.extend_from_slice(b"{\"event\":");
                write_string(event, out);
                write_data(payload, out);
                if let Some(id) = ack {
                    out.extend_from_slice(b",\"id\":");
                    write_number(id, out);
                }
                out.push(b'}');
                Some(FrameKind::Text)
            }
            Outgoing::Ack { id, payload: Payload::Binary(bytes) } => {
                encode_binary(KIND_ACK, "", Some(id), bytes, out)
            }
            Outgoing::Ack { id, payload } => {
                out.extend_from_slice(b"{\"ack\":");
                write_number(id, out);
                write_data(payload, out);
                out.push(b'}');
                Some(FrameKind::Text)
            }
            Outgoing::AckError { id, error } => {
                out.extend_from_slice(b"{\"ack\":");
                write_number(id, out);
                out.extend_from_slice(b",\"error\":");
                write_json(error, out);
                out.push(b'}');
                Some(FrameKind::Text)
            }
            Outgoing::Value(_) => None,
        }
    }
}

/// Tells `null`, which is there, from a member that is not.
pub(super) fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(member).map(Some)
}

/// Refuses what is no object: a list would be read as an object's members in their order.
pub(super) fn check_object(text: &[u8]) -> Result<(), DecodeError> {
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(DecodeError::new(DecodeErrorKind::Shape, "The message does not have the expected shape"));
    }
    Ok(())
}

fn decode_text(text: &Bytes, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
    check_depth(text, limits)?;
    if let Some(message) = scan(text).and_then(|scanned| scanned.message(text, limits)) {
        return Ok(Incoming::Message(message));
    }
    parse_text(text, limits)
}

/// Reads a message in any form. Has the last word on what [`scan`] leaves to it.
pub(super) fn parse_text(text: &Bytes, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
    let wire: Wire<'_> = serde_json::from_slice(text).map_err(|e| explain(text, &e))?;
    check_object(text)?;
    if let Some(id) = wire.ack {
        let result = match wire.error {
            Some(error) => Err(raw_payload(text, error)),
            None => Ok(wire.data.map_or(Payload::Empty, |data| raw_payload(text, data))),
        };
        return Ok(Incoming::Ack { id, result });
    }
    let fail = |mut error: DecodeError| {
        error.ack = wire.id;
        error
    };
    let event =
        wire.event.ok_or_else(|| fail(DecodeError::new(DecodeErrorKind::Event, "The event is missing")))?;
    let event = event_name(text, event, limits).map_err(fail)?;
    let payload = wire.data.map_or(Payload::Empty, |data| raw_payload(text, data));
    Ok(Incoming::Message(Message::new(event, payload).with_ack(wire.id)))
}

/// Refuses text that nests too deep. Runs before any parser.
pub(super) fn check_depth(text: &[u8], limits: &DecodeLimits) -> Result<(), DecodeError> {
    if deeper_than(text, limits.json_depth) {
        return Err(DecodeError::new(DecodeErrorKind::TooDeep, "The message is nested too deep"));
    }
    Ok(())
}

/// The payload as a slice of the frame it came in: nothing is copied.
pub(super) fn raw_payload(frame: &Bytes, raw: &RawValue) -> Payload {
    Payload::Json(RawJson::borrowed(frame, raw))
}

/// Reads an event name: a string, or an object (a structural event).
pub(super) fn event_name(
    frame: &Bytes,
    raw: &RawValue,
    limits: &DecodeLimits,
) -> Result<EventName, DecodeError> {
    let text = raw.get();
    let name = match text.as_bytes().first() {
        Some(b'{') => frame.slice_ref(text.as_bytes()),
        Some(b'"') if !text.contains('\\') => frame.slice_ref(&text.as_bytes()[1..text.len() - 1]),
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(text) {
            Ok(name) => Bytes::from(name.into_owned()),
            Err(_) => return Err(DecodeError::new(DecodeErrorKind::Event, "The event is not a valid name")),
        },
        _ => return Err(DecodeError::new(DecodeErrorKind::Event, "The event must be a string")),
    };
    match name.len() {
        0 => Err(DecodeError::new(DecodeErrorKind::Event, "The event is empty")),
        n if n > limits.event_name => {
            Err(DecodeError::new(DecodeErrorKind::Event, "The event name is too long"))
        }
        _ => Ok(EventName::trusted(name)),
    }
}

/// Tells bad JSON from a member of the wrong type, and finds the ack id where there is one.
fn explain(text: &[u8], error: &serde_json::Error) -> DecodeError {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    if !error.is_data() {
        return DecodeError::new(DecodeErrorKind::Syntax, "The message is not valid JSON");
    }
    let id = serde_json::from_slice::<Id<'_>>(text).ok().and_then(|wire| wire.id?.get().parse().ok());
    DecodeError {
        ack: id,
        ..DecodeError::new(DecodeErrorKind::Shape, "The message does not have the expected shape")
    }
}

fn decode_binary(bytes: &Bytes, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
    const SHORT: DecodeError = DecodeError::new(DecodeErrorKind::Syntax, "The binary message is cut short");
    let (head, rest) = bytes.split_at_checked(4).ok_or(SHORT)?;
    let event_len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let (event, mut rest) = rest.split_at_checked(event_len).ok_or(SHORT)?;
    let mut ack = None;
    if head[1] & FLAG_ACK != 0 {
        let (id, after) = rest.split_first_chunk::<8>().ok_or(SHORT)?;
        ack = Some(AckId::from_be_bytes(*id));
        rest = after;
    }
    let payload = Payload::Binary(bytes.slice_ref(rest));
    let fail = |kind, message| DecodeError { ack, ..DecodeError::new(kind, message) };
    match (head[0], ack) {
        (KIND_ACK, Some(id)) => Ok(Incoming::Ack { id, result: Ok(payload) }),
        (KIND_EVENT, _) if event.is_empty() || event.len() > limits.event_name => {
            Err(fail(DecodeErrorKind::Event, "The event is empty or too long"))
        }
        (KIND_EVENT, _) if std::str::from_utf8(event).is_err() => {
            Err(fail(DecodeErrorKind::Event, "The event is not a valid name"))
        }
        (KIND_EVENT, _) => {
            let event = EventName::trusted(bytes.slice_ref(event));
            Ok(Incoming::Message(Message::new(event, payload).with_ack(ack)))
        }
        _ => Err(fail(DecodeErrorKind::Shape, "The binary message is of an unknown kind")),
    }
}

fn encode_binary(
    kind: u8,
    event: &str,
    ack: Option<AckId>,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Option<FrameKind> {
    let event_len = u16::try_from(event.len()).ok()?;
    out.put_u8(kind);
    out.put_u8(if ack.is_some() { FLAG_ACK } else { 0 });
    out.put_u16(event_len);
    out.extend_from_slice(event.as_bytes());
    if let Some(id) = ack {
        out.put_u64(id);
    }
    out.extend_from_slice(payload);
    Some(FrameKind::Binary)
}

fn write_data(payload: &Payload, out: &mut Vec<u8>) {
    if !matches!(payload, Payload::Empty) {
        out.extend_from_slice(b",\"data\":");
        write_json(payload, out);
    }
}

/// Writes a JSON payload; bytes and absence become `null`.
pub(super) fn write_json(payload: &Payload, out: &mut Vec<u8>) {
    match payload {
        Payload::Json(json) => out.extend_from_slice(json.as_bytes()),
        Payload::Args(args) => out.extend_from_slice(args.json().as_bytes()),
        Payload::Text(text) => write_string(std::str::from_utf8(text).unwrap_or_default(), out),
        Payload::Empty | Payload::Binary(_) => out.extend_from_slice(b"null"),
    }
}

/// Writes a JSON string.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    if text.bytes().any(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)) {
        // Writing a string into memory cannot fail.
        let quoted = serde_json::to_vec(text).unwrap_or_else(|_| b"\"\"".to_vec());
        out.extend_from_slice(&quoted);
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<Incoming, DecodeError> {
        JsonEnvelope.decode(&Frame::text(text), &DecodeLimits::default())
    }

    fn message(text: &str) -> Message {
        match decode(text) {
            Ok(Incoming::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn encode(outgoing: Outgoing<'_>) -> String {
        let mut out = Vec::new();
        JsonEnvelope.encode(outgoing, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_payload_is_a_slice_of_the_frame() {
        let frame = Bytes::from_static(br#"{"event":"greet","data":{"a":[1, 2]},"id":7}"#);
        let Ok(Incoming::Message(message)) =
            JsonEnvelope.decode(&Frame::Text(frame.clone()), &DecodeLimits::default())
        else {
            panic!("not a message")
        };
        assert_eq!(message.event().as_str(), "greet");
        assert_eq!(message.ack(), Some(7));
        let Payload::Json(json) = message.payload() else { panic!("not JSON") };
        assert_eq!(&json.as_bytes()[..], br#"{"a":[1, 2]}"#);
        assert!(frame.as_ptr_range().contains(&json.as_bytes().as_ptr()));
    }

    #[test]
    fn null_is_there_and_an_absent_payload_is_not() {
        assert_eq!(message(r#"{"event":"a","data":null}"#).payload(), &Payload::Json(RawJson::null()));
        assert_eq!(message(r#"{"event":"a"}"#).payload(), &Payload::Empty);
    }

    #[test]
    fn escaped_and_structural_event_names_are_read() {
        assert_eq!(message(r#"{"event":"a\"b"}"#).event().as_str(), "a\"b");
        assert!(message(r#"{"event":{"type":"x"}}"#).event().is_structural());
    }

    #[test]
    fn every_fault_has_its_kind_and_keeps_the_ack_id() {
        use DecodeErrorKind::{Event, Shape, Syntax, TooDeep};
        for (text, kind, ack) in [
            ("nope", Syntax, None),
            (r#"{"event":"a""#, Syntax, None),
            ("null", Shape, None),
            (r#" ["greet","Ada"]"#, Shape, None),
            (r#"{"event":null,"id":3}"#, Event, Some(3)),
            ("5", Shape, None),
            ("{}", Event, None),
            (r#"{"data":1,"id":3}"#, Event, Some(3)),
            (r#"{"event":5,"id":3}"#, Event, Some(3)),
            (r#"{"event":"","id":3}"#, Event, Some(3)),
            (r#"{"event":"a","id":"x"}"#, Shape, None),
        ] {
            let error = decode(text).unwrap_err();
            assert_eq!((error.kind, error.ack), (kind, ack), "{text}");
        }
        let deep = format!(r#"{{"event":"a","data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(decode(&deep).unwrap_err().kind, TooDeep);
        let long = format!(r#"{{"event":"{}"}}"#, "x".repeat(129));
        assert_eq!(decode(&long).unwrap_err().kind, Event);
    }

    #[test]
    fn frames_read_as_the_wire_page_says() {
        let data = Payload::json("hello, Ada").unwrap();
        assert_eq!(encode(Outgoing::Ack { id: 7, payload: &data }), r#"{"ack":7,"data":"hello, Ada"}"#);
        let ask =
            Outgoing::Event { event: "sure?", payload: &Payload::json(&1).unwrap(), ack: Some(u64::MAX) };
        assert_eq!(encode(ask), r#"{"event":"sure?","data":1,"id":18446744073709551615}"#);
        let bare = Outgoing::Event { event: "a\n", payload: &Payload::Empty, ack: None };
        assert_eq!(encode(bare), r#"{"event":"a\n"}"#);
        assert_eq!(JsonEnvelope.encode(Outgoing::Value(&data), &mut Vec::new()), None);
    }

    #[test]
    fn binary_round_trips_and_cut_frames_are_refused() {
        let payload = Payload::Binary(Bytes::from_static(&[0, 1, 255]));
        let mut out = Vec::new();
        let event = Outgoing::Event { event: "upload", payload: &payload, ack: Some(9) };
        assert_eq!(JsonEnvelope.encode(event, &mut out), Some(FrameKind::Binary));
        let limits = DecodeLimits::default();
        for cut in 0..out.len() - 3 {
            let frame = Frame::binary(out[..cut].to_vec());
            assert!(JsonEnvelope.decode(&frame, &limits).is_err(), "{cut}");
        }
        let Ok(Incoming::Message(message)) = JsonEnvelope.decode(&Frame::binary(out), &limits) else {
            panic!()
        };
        assert_eq!((message.event().as_str(), message.ack()), ("upload", Some(9)));
        assert_eq!(message.payload(), &payload);
    }
}
