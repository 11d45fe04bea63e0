//! The flat envelope: the whole object is the message, one member names the event.

use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Incoming,
    Message, Outgoing, Payload, RawJson,
    json::{check_depth, event_name},
    nest::{syntax, write_event},
};

/// `{"type":"showComment","entryId":2}` in (the handler gets the whole object), `{"event":…,"data":…}` out.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    /// The member that names the event.
    pub tag: &'static str,
}

impl Default for Flat {
    fn default() -> Self {
        Self { tag: "type" }
    }
}

impl Envelope for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::NONE
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> Result<Incoming, DecodeError> {
        let text = frame.payload();
        check_depth(text, limits)?;
        let mut parser = serde_json::Deserializer::from_slice(text);
        let tag = parser.deserialize_map(Tag(self.tag)).and_then(|tag| parser.end().map(|()| tag));
        let missing = DecodeError::new(DecodeErrorKind::Event, "The event is missing");
        let event = event_name(text, tag.map_err(|e| syntax(&e))?.ok_or(missing)?, limits)?;
        // The whole object goes on as JSON; the parser has looked at the parts it needed alone.
        if !frame.is_text() && std::str::from_utf8(text).is_err() {
            return Err(DecodeError::new(DecodeErrorKind::Syntax, "The message is not valid JSON"));
        }
        let payload = Payload::Json(RawJson::trusted(text.clone()));
        Ok(Incoming::Message(Message::new(event, payload)))
    }

    fn encode(&self, outgoing: Outgoing<'_>, out: &mut Vec<u8>) -> Option<FrameKind> {
        let Outgoing::Event { event, payload, .. } = outgoing else { return None };
        write_event(event, payload, out);
        Some(FrameKind::Text)
    }
}

/// Finds the tag among the members; the last one wins, as in JSON parsers.
struct Tag(&'static str);

impl<'de> Visitor<'de> for Tag {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tag = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == self.0 {
                tag = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handler_gets_the_whole_object() {
        let text = r#"{"entryId":2,"type":"showComment","commentId":1}"#;
        let Ok(Incoming::Message(message)) =
            Flat::default().decode(&Frame::text(text), &DecodeLimits::default())
        else {
            panic!()
        };
        assert_eq!(message.event().as_str(), "showComment");
        assert_eq!(message.payload().len(), text.len());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_wherever_they_stand() {
        let frame = Frame::binary(&b"{\"type\":\"a\",\"b\":\"\xff\"}"[..]);
        let error = Flat::default().decode(&frame, &DecodeLimits::default()).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Syntax);
    }

    #[test]
    fn no_tag_no_object_and_trailing_text_are_refused() {
        for (text, kind) in [
            (r#"{"a":1}"#, DecodeErrorKind::Event),
            (r#"["type"]"#, DecodeErrorKind::Shape),
            (r#"{"type":"a"} x"#, DecodeErrorKind::Syntax),
        ] {
            let error = Flat::default().decode(&Frame::text(text), &DecodeLimits::default()).unwrap_err();
            assert_eq!(error.kind, kind, "{text}");
        }
    }
}
