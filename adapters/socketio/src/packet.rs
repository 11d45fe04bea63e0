//! Packets: what a frame of the envelope is for socketioxide, and back.

use std::{collections::VecDeque, fmt};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use narthex_core::{AckId, Frame};
use serde::{
    Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use socketioxide_core::{
    Str, Value,
    packet::{Packet, PacketData},
};

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Ack,
}

/// A packet's text as the envelope writes it: `2["event",…]`, `27["event",…]`, `37[…]`; with bytes `51-["event",…]`.
pub(crate) struct Written<'a> {
    pub(crate) kind: Kind,
    pub(crate) id: Option<AckId>,
    /// The JSON array.
    pub(crate) data: &'a str,
}

/// Takes the text of a packet apart; `None` where it is none of the envelope's.
pub(crate) fn read(text: &str) -> Option<Written<'_>> {
    let (kind, rest) = match text.as_bytes().first()? {
        b'2' => (Kind::Event, &text[1..]),
        b'3' => (Kind::Ack, &text[1..]),
        b'5' => (Kind::Event, text[1..].split_once('-')?.1),
        b'6' => (Kind::Ack, text[1..].split_once('-')?.1),
        _ => return None,
    };
    let (id, data) = rest.split_at(rest.find('[')?);
    let id = match id {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    Some(Written { kind, id, data })
}

/// A text and its attachments as one binary frame: `u32` length, the text, then `u32` length and bytes for each.
pub(crate) fn join(text: &[u8], attachments: &[Bytes], out: &mut Vec<u8>) {
    for part in std::iter::once(text).chain(attachments.iter().map(AsRef::as_ref)) {
        // Limits are far below 4 GiB.
        out.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        out.put_slice(part);
    }
}

fn split(mut bytes: Bytes) -> Option<(Bytes, VecDeque<Bytes>)> {
    let mut parts = VecDeque::new();
    while !bytes.is_empty() {
        let length = bytes.try_get_u32().ok()? as usize;
        if length > bytes.len() {
            return None;
        }
        parts.push_back(bytes.split_to(length));
    }
    Some((parts.pop_front()?, parts))
}

/// A packet for one namespace.
pub(crate) struct Outbound {
    pub(crate) packet: Packet,
    /// The id under which the server awaits an answer.
    pub(crate) asks: Option<AckId>,
    /// About how many bytes it is on the wire.
    pub(crate) size: usize,
}

/// What is around a packet's text on the wire: the engine's digit, and the namespace.
pub(crate) fn overhead(namespace: &str) -> usize {
    if namespace == "/" { 1 } else { namespace.len() + 2 }
}

/// The packet of a text frame's bytes.
pub(crate) fn text_packet(namespace: &Str, text: &[u8]) -> Option<Outbound> {
    packet(namespace, text, VecDeque::new())
}

/// The packet of a binary frame's bytes.
pub(crate) fn binary_packet(namespace: &Str, bytes: &Bytes) -> Option<Outbound> {
    let (text, attachments) = split(bytes.clone())?;
    packet(namespace, &text, attachments)
}

/// The packet of a frame.
pub(crate) fn frame_packet(namespace: &Str, frame: &Frame) -> Option<Outbound> {
    match frame {
        Frame::Text(text) => text_packet(namespace, text),
        Frame::Binary(bytes) => binary_packet(namespace, bytes),
        _ => None,
    }
}

fn packet(namespace: &Str, text: &[u8], attachments: VecDeque<Bytes>) -> Option<Outbound> {
    let size = overhead(namespace) + text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
    // The envelope wrote it, so it is UTF-8.
    let Written { kind, id, data } = read(std::str::from_utf8(text).ok()?)?;
    let has_bytes = !attachments.is_empty();
    let value = Value::Str(Str::copy_from_slice(data), has_bytes.then_some(attachments));
    let (inner, asks) = match kind {
        Kind::Event if has_bytes => (PacketData::BinaryEvent(value, None), id),
        Kind::Event => (PacketData::Event(value, None), id),
        Kind::Ack => {
            let id = i64::try_from(id?).ok()?;
            let ack = if has_bytes { PacketData::BinaryAck } else { PacketData::EventAck };
            (ack(value, id), None)
        }
    };
    Some(Outbound { packet: Packet { inner, ns: namespace.clone() }, asks, size })
}

/// The elements of a packet's array: its first, its second, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Elements<'a> {
    pub(crate) first: Option<&'a RawValue>,
    pub(crate) second: Option<&'a RawValue>,
    pub(crate) count: usize,
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements::default();
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            match elements.count {
                0 => elements.first = Some(element),
                1 => elements.second = Some(element),
                _ => {}
            }
            elements.count += 1;
        }
        Ok(elements)
    }
}

/// Reads a packet's array to its end.
pub(crate) fn elements(text: &[u8]) -> serde_json::Result<Elements<'_>> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let elements = parser.deserialize_seq(Walk)?;
    parser.end()?;
    Ok(elements)
}

/// The array without its first element, written anew.
pub(crate) fn without_first(text: &Bytes, second: &RawValue) -> Bytes {
    let rest = text.slice_ref(second.get().as_bytes());
    let at = rest.as_ptr() as usize - text.as_ptr() as usize;
    let mut array = BytesMut::with_capacity(text.len() - at + 1);
    array.put_u8(b'[');
    array.put_slice(&text[at..]);
    array.freeze()
}

/// Whether an element is the placeholder of the only attachment.
pub(crate) fn is_placeholder(element: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Placeholder {
        #[serde(rename = "_placeholder")]
        placeholder: bool,
        num: u64,
    }
    element.get().starts_with('{')
        && serde_json::from_str::<Placeholder>(element.get())
            .is_ok_and(|found| found.placeholder && found.num == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart() {
        let read = |text| read(text).map(|w| (w.kind, w.id, w.data.to_owned()));
        assert_eq!(read(r#"2["a",1]"#), Some((Kind::Event, None, r#"["a",1]"#.to_owned())));
        assert_eq!(read(r#"27["a"]"#), Some((Kind::Event, Some(7), r#"["a"]"#.to_owned())));
        assert_eq!(read("312[]"), Some((Kind::Ack, Some(12), "[]".to_owned())));
        assert_eq!(read(r#"51-7["a",{}]"#), Some((Kind::Event, Some(7), r#"["a",{}]"#.to_owned())));
        assert_eq!(read("0{}"), None);
        assert_eq!(read("2x[1]"), None);
    }

    #[test]
    fn attachments_come_back_and_cut_frames_do_not() {
        let mut frame = Vec::new();
        join(b"51-[1]", &[Bytes::from_static(b"abc"), Bytes::new()], &mut frame);
        let (text, attachments) = split(frame.clone().into()).unwrap();
        assert_eq!((&text[..], attachments.len()), (&b"51-[1]"[..], 2));
        assert!(split(Bytes::from(frame[..frame.len() - 5].to_vec())).is_none());
        assert!(split(Bytes::from_static(&[0, 0])).is_none());
    }

    #[test]
    fn elements_are_read_to_the_end_of_the_text() {
        let found = elements(br#"["a",{"b":[1,2]},3]"#).unwrap();
        assert_eq!((found.first.unwrap().get(), found.count), ("\"a\"", 3));
        assert!(elements(br#"["a",nope]"#).is_err());
        assert!(elements(br#"["a"]x"#).is_err());
        assert!(elements(b"{}").is_err());
    }

    #[test]
    fn the_rest_of_an_array_is_an_array() {
        let text = Bytes::from_static(br#"["a", 1,"b"]"#);
        let second = elements(&text).unwrap().second.unwrap();
        assert_eq!(&without_first(&text, second)[..], br#"[1,"b"]"#);
    }
}
