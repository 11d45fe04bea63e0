//! A quick look at messages in their common form: an object of `event`, `data` and `id` as clients write it.
//!
//! Whatever looks otherwise (other members, escapes, acks, faults) is left to the parser, which has the last word.

use std::ops::Range;

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::{AckId, DecodeLimits, EventName, Message, Payload, RawJson};

/// Where the members of a message are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    event: Range<usize>,
    data: Option<Range<usize>>,
    id: Option<AckId>,
}

impl Scanned {
    /// The message; `None` where its name is out of bounds.
    pub(super) fn message(self, text: &Bytes, limits: &DecodeLimits) -> Option<Message> {
        if self.event.is_empty() || self.event.len() > limits.event_name {
            return None;
        }
        let payload =
            self.data.map_or(Payload::Empty, |data| Payload::Json(RawJson::trusted(text.slice(data))));
        Some(Message::new(EventName::trusted(text.slice(self.event)), payload).with_ack(self.id))
    }
}

/// Finds the members of a message in its common form. The data is checked to be JSON, the whole text to be UTF-8.
pub(super) fn scan(text: &[u8]) -> Option<Scanned> {
    let mut scanner = Scanner { text: std::str::from_utf8(text).ok()?, at: 0 };
    let (mut event, mut data, mut id) = (None, None, None);
    scanner.take(b'{')?;
    loop {
        match scanner.member()? {
            Member::Event if event.is_none() => event = Some(scanner.string()?),
            Member::Data if data.is_none() => data = Some(scanner.value()?),
            Member::Id if id.is_none() => id = Some(scanner.number()?),
            _ => return None,
        }
        match scanner.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    scanner.is_at_end().then_some(Scanned { event: event?, data, id })
}

#[derive(Clone, Copy)]
enum Member {
    Event,
    Data,
    Id,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        self.skip_space();
        let byte = *self.rest().first()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    /// A string without escapes: what is between its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        self.take(b'"')?;
        let start = self.at;
        let length = self.rest().iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        if self.rest()[length] != b'"' {
            return None;
        }
        self.at += length + 1;
        Some(start..start + length)
    }

    /// A member's name, up to its value.
    fn member(&mut self) -> Option<Member> {
        const MEMBERS: [(&[u8], Member); 3] =
            [(b"\"event\":", Member::Event), (b"\"data\":", Member::Data), (b"\"id\":", Member::Id)];
        self.skip_space();
        // Spaces before the colon are left to the parser: nobody writes them.
        let (name, member) = MEMBERS.iter().find(|(name, _)| self.rest().starts_with(name))?;
        self.at += name.len();
        Some(*member)
    }

    /// Any JSON value.
    fn value(&mut self) -> Option<Range<usize>> {
        self.skip_space();
        let start = self.at;
        let mut values =
            serde_json::Deserializer::from_str(self.text.get(start..)?).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(start..self.at)
    }

    /// A whole number in the one form that JSON has for it.
    fn number(&mut self) -> Option<u64> {
        self.skip_space();
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.text.get(start..self.at)?;
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        digits.parse().ok()
    }
}

#[cfg(test)]
mod agreement;

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Option<(&str, Option<&str>, Option<AckId>)> {
        let scanned = scan(text.as_bytes())?;
        Some((&text[scanned.event], scanned.data.map(|data| &text[data]), scanned.id))
    }

    #[test]
    fn the_common_form_is_read_in_any_order() {
        let most = u64::MAX;
        assert_eq!(members(r#"{"event":"a"}"#), Some(("a", None, None)));
        assert_eq!(members(r#"{"event":"a","data":null,"id":0}"#), Some(("a", Some("null"), Some(0))));
        assert_eq!(
            members(&format!(r#" {{ "id": {most} , "data": [1, {{"b":"]"}}] ,"event":"ä" }} "#)),
            Some(("ä", Some(r#"[1, {"b":"]"}]"#), Some(most)))
        );
        assert_eq!(members(r#"{"data":-1.5e3,"event":"a"}"#), Some(("a", Some("-1.5e3"), None)));
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"data":1}"#,
            r#"{"event":"a""#,
            r#"{"event":"a"}}"#,
            r#"{"event":"a"} {"#,
            r#"{"event":"a",}"#,
            r#"{"event":"a","event":"b"}"#,
            r#"{"event":"a\n"}"#,
            "{\"event\":\"a\n\"}",
            r#"{"event":{"type":"a"}}"#,
            r#"{"event":"a","data":}"#,
            r#"{"event":"a","data":01}"#,
            r#"{"event":"a","data":"x}"#,
            r#"{"event":"a","data":1 2}"#,
            r#"{"event":"a","data":tru}"#,
            r#"{"event":"a","id":01}"#,
            r#"{"event":"a","id":-1}"#,
            r#"{"event":"a","id":1.0}"#,
            r#"{"event":"a","id":18446744073709551616}"#,
            r#"{"event":"a","more":1}"#,
            r#"{"event" :"a"}"#,
            r#"{"ack":1,"data":1}"#,
        ] {
            assert_eq!(members(text), None, "{text}");
        }
        assert_eq!(scan(b"{\"event\":\"\xff\"}"), None);
    }
}
