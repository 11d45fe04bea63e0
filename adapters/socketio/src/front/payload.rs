//! Bodies of polling: several packets in one.

use bytes::{BufMut, BytesMut};

use crate::protocol::Protocol;

/// What separates packets in version 4.
const SEPARATOR: u8 = 0x1e;

/// How a body holds its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Parted by [`SEPARATOR`].
    Parted,
    /// Each after its length in UTF-16 units and a colon.
    Measured,
    /// Each after a byte that says whether it is binary, the digits of its length in bytes, and 255.
    Marked,
}

/// The packets of a body, in order. It ends where the body cannot be read.
#[derive(Debug)]
pub(super) struct Packets<'a> {
    form: Form,
    body: &'a [u8],
    rest: &'a [u8],
    ended: bool,
}

/// A packet where it is in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) text: &'a [u8],
    /// An attachment's bytes, with the byte 4 before them; a text otherwise.
    pub(super) is_binary: bool,
    pub(super) at: usize,
}

impl<'a> Packets<'a> {
    pub(super) fn of(protocol: Protocol, body: &'a [u8]) -> Self {
        let form = match (protocol, body.first()) {
            (Protocol::V4, _) => Form::Parted,
            (Protocol::V3, Some(0 | 1)) => Form::Marked,
            (Protocol::V3, _) => Form::Measured,
        };
        Self { form, body, rest: body, ended: body.is_empty() }
    }

    /// Writes a packet in the form of this body.
    pub(super) fn put(&self, packet: &[u8], is_binary: bool, out: &mut BytesMut) {
        match self.form {
            Form::Parted => {
                if !out.is_empty() {
                    out.put_u8(SEPARATOR);
                }
            }
            Form::Measured => {
                let units =
                    std::str::from_utf8(packet).map_or(packet.len(), |text| text.encode_utf16().count());
                out.put_slice(format!("{units}:").as_bytes());
            }
            Form::Marked => {
                out.put_u8(u8::from(is_binary));
                out.extend(packet.len().to_string().bytes().map(|digit| digit - b'0'));
                out.put_u8(0xff);
            }
        }
        out.put_slice(packet);
    }

    /// The next packet's length, how long its head is, and whether it is binary.
    fn head(&self) -> Option<(usize, usize, bool)> {
        /// Lengths have no more digits.
        const DIGITS: usize = 9;
        let rest = self.rest;
        match self.form {
            Form::Parted => {
                let len = rest.iter().position(|byte| *byte == SEPARATOR).unwrap_or(rest.len());
                Some((len, 0, false))
            }
            Form::Measured => {
                let colon = rest.iter().take(DIGITS + 1).position(|byte| *byte == b':')?;
                let units = number(rest[..colon].iter().map(|digit| digit.wrapping_sub(b'0')))?;
                Some((bytes_of(&rest[colon + 1..], units)?, colon + 1, false))
            }
            Form::Marked => {
                let end = rest.iter().take(DIGITS + 2).position(|byte| *byte == 0xff)?;
                let len = number(rest.get(1..end)?.iter().copied())?;
                Some((len, end + 1, rest[0] == 1))
            }
        }
    }
}

fn number(mut digits: impl Iterator<Item = u8>) -> Option<usize> {
    digits.try_fold(0_usize, |number, digit| {
        (digit < 10).then(|| number.checked_mul(10)?.checked_add(usize::from(digit))).flatten()
    })
}

/// How many bytes so many UTF-16 units are, at the beginning of a text.
fn bytes_of(text: &[u8], units: usize) -> Option<usize> {
    // A unit is three bytes at the most.
    let text = &text[..text.len().min(units.saturating_mul(3))];
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).ok()?,
    };
    let mut left = units;
    for (at, char) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(char.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        if self.ended {
            return None;
        }
        self.ended = true;
        let (len, head, is_binary) = self.head()?;
        let text = self.rest.get(head..head.checked_add(len)?)?;
        let at = self.body.len() - self.rest.len() + head;
        let after = &self.rest[head + len..];
        match self.form {
            Form::Parted => {
                self.ended = after.is_empty();
                self.rest = after.get(1..).unwrap_or_default();
            }
            Form::Measured | Form::Marked => {
                self.ended = after.is_empty();
                self.rest = after;
            }
        }
        Some(Packet { text, is_binary, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(protocol: Protocol, body: &[u8]) -> Vec<(Vec<u8>, bool)> {
        Packets::of(protocol, body).map(|packet| (packet.text.to_vec(), packet.is_binary)).collect()
    }

    #[test]
    fn packets_are_found_in_each_form_and_written_back_as_they_were() {
        let bodies: [(Protocol, &[u8], usize); 5] = [
            (Protocol::V4, b"40{}\x1e42[\"a\"]\x1ebAQID", 3),
            (Protocol::V4, b"2", 1),
            (Protocol::V3, "2:407:42[\"€\"]3:4\u{1d54a}".as_bytes(), 3),
            (Protocol::V3, b"\x00\x02\xff40\x01\x01\x00\xff\x04123456789", 2),
            (Protocol::V3, b"1:6", 1),
        ];
        for (protocol, body, count) in bodies {
            let packets = Packets::of(protocol, body);
            let mut out = BytesMut::new();
            let form = Packets::of(protocol, body);
            let mut seen = 0;
            for packet in packets {
                assert_eq!(&body[packet.at..packet.at + packet.text.len()], packet.text);
                form.put(packet.text, packet.is_binary, &mut out);
                seen += 1;
            }
            assert_eq!((&out[..], seen), (body, count));
        }
        assert!(texts(Protocol::V3, b"\x00\x02\xff40\x01\x02\xff\x04!")[1].1);
    }

    #[test]
    fn a_body_that_cannot_be_read_ends_there() {
        for body in [
            &b"5:40"[..],
            b"x:40",
            b"99999999999:40",
            b":40",
            b"\x00\xff",
            b"\x00\x0b\xff40",
            b"\x01\x02",
            b"",
        ] {
            assert!(texts(Protocol::V3, body).iter().all(|(text, _)| text.is_empty()), "{body:?}");
        }
        assert_eq!(texts(Protocol::V3, b"2:409:x"), [(b"40".to_vec(), false)]);
        // Half of a character.
        assert!(texts(Protocol::V3, "2:4\u{1d54a}".as_bytes()).is_empty());
        assert!(texts(Protocol::V3, &[b'1', b':', 0xff]).is_empty());
    }
}
