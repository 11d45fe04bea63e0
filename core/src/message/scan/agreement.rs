//! Whatever the quick look reads, the parser reads in the same way: random messages, whole and damaged.

use bytes::Bytes;

use super::scan;
use crate::message::{DecodeLimits, Incoming, Payload, json::parse_text};

/// Texts of which many are in the common form, and as many are damaged.
const TEXTS: usize = 20_000;

const SPACES: [&str; 6] = ["", "", "", " ", "\n\t", "\r"];
const NAMES: [&str; 8] = ["event", "data", "id", "ack", "error", "Event", "", r"\u0065vent"];
const STRINGS: [&str; 14] = [
    "",
    "a",
    "greet",
    "ä🦀",
    "\u{7f}",
    "\u{2028}",
    r"a\n",
    r#"\""#,
    r"\ud800",
    r"\u00",
    r"\x",
    "a\tb",
    "]}",
    "{\"type\":1}",
];
const SCALARS: [&str; 24] = [
    "null",
    "true",
    "false",
    "nul",
    "NaN",
    "0",
    "-0",
    "00",
    "01",
    "7",
    "7.0",
    "7.",
    ".7",
    "7e0",
    "1E+9",
    "1e",
    "1e999999",
    "-1",
    "+1",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "0x1",
    "1_0",
];
/// What damages a text most.
const BYTES: &[u8] =
    b"{}[]\":,\\/0179-+.eEtfnuva \t\r\n\x00\x0b\x0c\x1f\x7f\x80\xbf\xc2\xa0\xc3\xa9\xed\xa0\xef\xf4\xff";

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn string(&mut self) -> String {
        match self.below(12) {
            0 => format!("\"{}\"", "x".repeat(126 + self.below(5))),
            _ => format!("\"{}\"", self.one(&STRINGS)),
        }
    }

    fn list(&mut self, item: impl Fn(&mut Self) -> String) -> String {
        let items: Vec<_> = (0..self.below(5)).map(|_| item(self)).collect();
        items.join(",")
    }

    fn value(&mut self, depth: usize) -> String {
        let value = match self.below(if depth == 0 { 2 } else { 4 }) {
            0 => self.one(&SCALARS).to_owned(),
            1 => self.string(),
            2 => format!("[{}]", self.list(|random| random.value(depth - 1))),
            _ => format!("{{{}}}", self.list(|random| random.string() + ":" + &random.value(depth - 1))),
        };
        format!("{}{value}{}", self.one(&SPACES), self.one(&SPACES))
    }

    fn member(&mut self, name: &str) -> String {
        let value = match (name, self.below(8)) {
            (_, 0) => self.value(3),
            ("event", 1) => self.string(),
            ("event", _) => "\"greet\"".to_owned(),
            ("id" | "ack", _) => self.below(1_000).to_string(),
            _ => self.value(2),
        };
        format!("{}\"{name}\"{}:{value}{}", self.one(&SPACES), self.one(&SPACES), self.one(&SPACES))
    }

    /// A message as clients write it, in any order, and now and then a member too many.
    fn object(&mut self) -> String {
        let mut members = vec![self.member("event")];
        for name in ["data", "id"] {
            if self.below(2) == 0 {
                let at = self.below(members.len() + 1);
                members.insert(at, self.member(name));
            }
        }
        if self.below(4) == 0 {
            let at = self.below(members.len() + 1);
            let name = self.one(&NAMES);
            members.insert(at, self.member(name));
        }
        format!("{}{{{}}}{}", self.one(&SPACES), members.join(","), self.one(&SPACES))
    }

    fn text(&mut self) -> Vec<u8> {
        let mut text = self.object().into_bytes();
        for _ in 0..self.below(4).saturating_sub(1) {
            let (at, byte) = (self.below(text.len()), BYTES[self.below(BYTES.len())]);
            match self.below(3) {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
            if text.is_empty() {
                text.push(byte);
            }
        }
        text
    }
}

#[derive(Debug, PartialEq)]
struct Read {
    event: Vec<u8>,
    payload: Payload,
    id: Option<u64>,
}

/// What the quick look makes of a text, and the parser; `None` for an ack or a fault.
fn both(text: &Bytes) -> (Option<Read>, Option<Read>) {
    let limits = DecodeLimits::default();
    let read = |message: crate::message::Message| Read {
        event: message.event().as_bytes().to_vec(),
        id: message.ack(),
        payload: message.payload().clone(),
    };
    let quick = scan(text).and_then(|scanned| scanned.message(text, &limits)).map(read);
    let parsed = match parse_text(text, &limits) {
        Ok(Incoming::Message(message)) => Some(read(message)),
        _ => None,
    };
    (quick, parsed)
}

#[test]
fn what_is_read_at_a_glance_is_what_the_parser_reads() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut quick, mut left) = (0, 0);
    for _ in 0..TEXTS {
        let text = Bytes::from(random.text());
        match both(&text) {
            (None, parsed) => left += usize::from(parsed.is_some()),
            (read, parsed) => {
                quick += 1;
                assert_eq!(read, parsed, "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }
    // Neither side of it is empty.
    assert!(quick > TEXTS / 20 && left > TEXTS / 50, "{quick} {left}");
}
