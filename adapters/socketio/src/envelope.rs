//! The envelope: packets of socket.io-protocol v5, without their namespace.

use bytes::Bytes;
use narthex_core::{
    AckId, Arguments, DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame,
    FrameKind, Incoming, Message, Outgoing, Payload, RawJson,
};
use serde::Deserialize;

use crate::packet::{self, Kind, elements, is_placeholder, join, without_first};

const PLACEHOLDER: &[u8] = br#"{"_placeholder":true,"num":0}"#;

/// `2["event",data]`, `27["event",data]` where an answer is awaited, `37[data]` for an answer.
///
/// An error answers as one argument, `{"status":"error","message":…}`; an answer of that shape is read as an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets;

impl Envelope for Packets {
    fn name(&self) -> &'static str {
        "socket.io"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::ALL
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        const SHAPE: DecodeError =
            DecodeError::new(DecodeErrorKind::Shape, "The message does not have the expected shape");
        let text = frame.payload();
        let written = std::str::from_utf8(text).ok().and_then(packet::read).ok_or(SHAPE)?;
        let data = text.slice_ref(written.data.as_bytes());
        match (written.kind, written.id) {
            (Kind::Event, id) => event(data, Vec::new(), id, limits).map(Incoming::Message),
            (Kind::Ack, Some(id)) => {
                answer(data, Vec::new(), limits).map(|result| Incoming::Ack { id, result })
            }
            (Kind::Ack, None) => Err(SHAPE),
        }
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        let (digit, event, payload, id) = match outgoing {
            Outgoing::Event { event, payload, ack } => (b'2', Some(event), payload, ack),
            Outgoing::Ack { id, payload } => (b'3', None, payload, Some(id)),
            Outgoing::AckError { id, error } => (b'3', None, error, Some(id)),
            // A bare value has no form here.
            _ => return None,
        };
        let one;
        let attachments = match payload {
            Payload::Binary(bytes) => {
                one = [bytes.clone()];
                &one[..]
            }
            Payload::Args(args) => args.attachments(),
            _ => &[],
        };
        if attachments.is_empty() {
            write(digit, attachments, id, event, payload, out)?;
            return Some(FrameKind::Text);
        }
        let mut text = Vec::new();
        // 5 and 6 are 2 and 3 with bytes.
        write(digit + 3, attachments, id, event, payload, &mut text)?;
        join(&text, attachments, out);
        Some(FrameKind::Binary)
    }
}

fn write(
    digit: u8,
    attachments: &[Bytes],
    id: Option<AckId>,
    event: Option<&str>,
    payload: &Payload,
    out: &mut Vec<u8>,
) -> Option<()> {
    use std::io::Write;

    out.push(digit);
    // Writing into memory does not fail.
    if !attachments.is_empty() {
        write!(out, "{}-", attachments.len()).ok()?;
    }
    if let Some(id) = id {
        write!(out, "{id}").ok()?;
    }
    out.push(b'[');
    if let Some(event) = event {
        serde_json::to_writer(&mut *out, event).ok()?;
    }
    let before = out.len();
    if event.is_some() {
        out.push(b',');
    }
    match payload {
        Payload::Json(json) => out.extend_from_slice(json.as_bytes()),
        Payload::Binary(_) => out.extend_from_slice(PLACEHOLDER),
        Payload::Text(text) => serde_json::to_writer(&mut *out, std::str::from_utf8(text).ok()?).ok()?,
        Payload::Args(args) => {
            let list = args.json().as_bytes().trim_ascii();
            let list = list.get(1..list.len().checked_sub(1)?)?.trim_ascii();
            if list.is_empty() {
                out.truncate(before);
            }
            out.extend_from_slice(list);
        }
        _ => out.truncate(before),
    }
    out.push(b']');
    Some(())
}

/// Reads the array of an event.
pub(crate) fn event(
    text: Bytes,
    attachments: Vec<Bytes>,
    id: Option<AckId>,
    limits: &DecodeLimits,
) -> Result<Message, DecodeError> {
    let fail = |mut error: DecodeError| {
        error.ack = id;
        error
    };
    limits.check_depth(&text).map_err(fail)?;
    let syntax = DecodeError::new(DecodeErrorKind::Syntax, "The message is not valid JSON");
    let found = elements(&text).map_err(|_| fail(syntax))?;
    let missing = DecodeError::new(DecodeErrorKind::Event, "The event is missing");
    let name = limits.event_name(&text, found.first.ok_or_else(|| fail(missing))?).map_err(fail)?;
    let payload = match (found.second, found.count) {
        (None, _) => Payload::Empty,
        (Some(only), 2) if attachments.is_empty() => Payload::Json(RawJson::borrowed(&text, only)),
        (Some(only), 2) if attachments.len() == 1 && is_placeholder(only) => binary(attachments),
        (Some(second), _) => arguments(without_first(&text, second), attachments).map_err(fail)?,
    };
    Ok(Message::new(name, payload).with_ack(id))
}

/// Reads the array of an answer.
pub(crate) fn answer(
    text: Bytes,
    attachments: Vec<Bytes>,
    limits: &DecodeLimits,
) -> Result<Result<Payload, Payload>, DecodeError> {
    limits.check_depth(&text)?;
    let syntax = DecodeError::new(DecodeErrorKind::Syntax, "The message is not valid JSON");
    let found = elements(&text).map_err(|_| syntax)?;
    Ok(match (found.first, found.count) {
        (None, _) => Ok(Payload::Empty),
        (Some(only), 1) if attachments.is_empty() => {
            let payload = Payload::Json(RawJson::borrowed(&text, only));
            if is_error(only.get()) { Err(payload) } else { Ok(payload) }
        }
        (Some(only), 1) if attachments.len() == 1 && is_placeholder(only) => Ok(binary(attachments)),
        _ => Ok(arguments(text, attachments)?),
    })
}

fn binary(attachments: Vec<Bytes>) -> Payload {
    attachments.into_iter().next().map_or(Payload::Empty, Payload::Binary)
}

/// `array` has been read by a parser.
fn arguments(array: Bytes, attachments: Vec<Bytes>) -> Result<Payload, DecodeError> {
    let shape = || DecodeError::new(DecodeErrorKind::Shape, "The message does not have the expected shape");
    let raw: &serde_json::value::RawValue = serde_json::from_slice(&array).map_err(|_| shape())?;
    let json = RawJson::borrowed(&array, raw);
    Arguments::new(json, attachments).map(Payload::Args).map_err(|_| shape())
}

fn is_error(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        status: String,
        #[serde(rename = "message")]
        _message: String,
    }
    json.starts_with('{') && serde_json::from_str::<Failure>(json).is_ok_and(|f| f.status == "error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(outgoing: Outgoing<'_>) -> (FrameKind, Vec<u8>) {
        let mut out = Vec::new();
        (Packets.encode(outgoing, &mut out).unwrap(), out)
    }

    fn text(outgoing: Outgoing<'_>) -> String {
        String::from_utf8(encode(outgoing).1).unwrap()
    }

    fn read(text: &'static str) -> Payload {
        event(Bytes::from_static(text.as_bytes()), Vec::new(), None, &DecodeLimits::default())
            .unwrap()
            .payload()
            .clone()
    }

    #[test]
    fn packets_read_as_the_protocol_says() {
        let one = Payload::json(&1).unwrap();
        let two = Payload::args(&(1, "b")).unwrap();
        let none = Payload::args(&[(); 0]).unwrap();
        let event = |payload, ack| Outgoing::Event { event: "a\"b", payload, ack };
        assert_eq!(text(event(&one, None)), r#"2["a\"b",1]"#);
        assert_eq!(text(event(&one, Some(7))), r#"27["a\"b",1]"#);
        assert_eq!(text(event(&two, None)), r#"2["a\"b",1,"b"]"#);
        assert_eq!(text(event(&none, None)), r#"2["a\"b"]"#);
        assert_eq!(text(event(&Payload::Empty, None)), r#"2["a\"b"]"#);
        assert_eq!(text(Outgoing::Ack { id: 7, payload: &two }), r#"37[1,"b"]"#);
        assert_eq!(text(Outgoing::Ack { id: 7, payload: &Payload::Empty }), "37[]");
        assert_eq!(Packets.encode(Outgoing::Value(&one), &mut Vec::new()), None);
        let bytes = Payload::Binary(Bytes::from_static(&[1, 2]));
        let (kind, frame) = encode(event(&bytes, None));
        assert_eq!(kind, FrameKind::Binary);
        let expected = br#"51-["a\"b",{"_placeholder":true,"num":0}]"#;
        assert_eq!(&frame[4..4 + expected.len()], expected);
        assert_eq!(&frame[frame.len() - 2..], [1, 2]);
    }

    #[test]
    fn one_argument_is_the_payload_and_several_are_a_list() {
        assert_eq!(read(r#"["a"]"#), Payload::Empty);
        assert_eq!(
            read(r#"["a",[1, 2]]"#),
            Payload::json(&[1, 2]).map_or(Payload::Empty, |_| read(r#"["a",[1, 2]]"#))
        );
        let Payload::Args(args) = read(r#"["a", 1,{"b":[]}]"#) else { panic!() };
        assert_eq!(&args.json().as_bytes()[..], br#"[1,{"b":[]}]"#);
        let (first, second): (u8, serde_json::Value) = read(r#"["a",1,{}]"#).parse().unwrap();
        assert_eq!((first, second), (1, serde_json::json!({})));
    }

    #[test]
    fn the_only_attachment_is_binary_and_one_inside_of_json_is_not() {
        let limits = DecodeLimits::default();
        let whole = Bytes::from_static(br#"["a",{"_placeholder":true,"num":0}]"#);
        let bytes = vec![Bytes::from_static(b"x")];
        let message = event(whole, bytes.clone(), None, &limits).unwrap();
        assert_eq!(message.payload(), &Payload::Binary(Bytes::from_static(b"x")));
        let inside = Bytes::from_static(br#"["a",{"b":{"_placeholder":true,"num":0}}]"#);
        let message = event(inside, bytes, None, &limits).unwrap();
        let Payload::Args(args) = message.payload() else { panic!() };
        assert_eq!(args.attachments().len(), 1);
    }

    #[test]
    fn an_answer_of_the_shape_of_an_error_is_one() {
        let limits = DecodeLimits::default();
        let read =
            |text: &'static str| answer(Bytes::from_static(text.as_bytes()), Vec::new(), &limits).unwrap();
        assert_eq!(read("[]"), Ok(Payload::Empty));
        assert!(read(r#"[{"status":"ok","message":"m"}]"#).is_ok());
        assert!(read(r#"[{"status":"error","message":"m"}]"#).is_err());
        assert!(read("[1,2]").is_ok());
    }

    #[test]
    fn every_fault_keeps_the_ack_id() {
        let limits = DecodeLimits::default();
        for text in [r#"["a",nope]"#, "[]", "[5]", r#"[""]"#] {
            let error = event(Bytes::from_static(text.as_bytes()), Vec::new(), Some(3), &limits).unwrap_err();
            assert_eq!(error.ack, Some(3), "{text}");
        }
    }
}
