//! Session ids as the peer knows them, and as the engine does.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use http::Uri;
use socketioxide_core::Sid;

use super::payload::Packets;
use crate::{connection::Connection, io::is_message, protocol::Protocol};

/// The same URI with the engine's session id.
pub(super) fn with_sid(uri: &Uri, sid: Sid) -> Option<Uri> {
    let pairs = uri.query()?.split('&').map(|pair| match pair.starts_with("sid=") {
        true => format!("sid={sid}"),
        false => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Uri::try_from(format!("{}?{query}", uri.path())).ok()
}

/// The open packet and what [`Protocol::rewrites`], in the peer's terms; nothing where they have none.
pub(crate) fn rename(packet: &[u8], connection: &Connection) -> Vec<u8> {
    let renamed = match (packet.first(), connection.protocol()) {
        (Some(b'0'), _) => open(packet, connection),
        (_, Protocol::V4) => connected(packet, connection),
        // The engine writes them for either version as in version 4.
        (Some(b'b'), Protocol::V3) => Some([b"b4", &packet[1..]].concat()),
        (_, Protocol::V3) => refused(packet),
    };
    renamed.unwrap_or_default()
}

/// Where the id is in a packet.
fn id(packet: &[u8]) -> Option<(usize, usize)> {
    const MEMBER: &[u8] = b"\"sid\":\"";
    let at = packet.windows(MEMBER.len()).position(|window| window == MEMBER)? + MEMBER.len();
    let len = packet[at..].iter().position(|byte| *byte == b'"')?;
    Some((at, at + len))
}

fn open(packet: &[u8], connection: &Connection) -> Option<Vec<u8>> {
    let (at, end) = id(packet)?;
    if let Some(sid) = std::str::from_utf8(&packet[at..end]).ok().and_then(|sid| sid.parse().ok()) {
        connection.set_sid(sid);
    }
    Some([&packet[..at], connection.secret().as_bytes(), &packet[end..]].concat())
}

fn connected(packet: &[u8], connection: &Connection) -> Option<Vec<u8>> {
    let (at, end) = id(packet)?;
    let rest = std::str::from_utf8(packet.strip_prefix(b"40")?).ok()?;
    let namespace = if rest.starts_with('/') { rest.split_once(',')?.0 } else { "/" };
    let id = connection.id(namespace)?.to_string();
    Some([&packet[..at], id.as_bytes(), &packet[end..]].concat())
}

/// `44/namespace,{"message":"…"}` as `44/namespace,"…"`.
fn refused(packet: &[u8]) -> Option<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    let at = packet.iter().position(|byte| *byte == b'{')?;
    let refusal: Refusal<'_> = serde_json::from_slice(&packet[at..]).ok()?;
    let mut renamed = packet[..at].to_vec();
    serde_json::to_writer(&mut renamed, &refusal.message).ok()?;
    Some(renamed)
}

/// The body of a poll in the peer's terms.
pub(super) fn rename_all(body: &[u8], connection: &Connection) -> Bytes {
    let protocol = connection.protocol();
    let (mut messages, mut bytes) = (0, 0);
    let mut renamed = BytesMut::with_capacity(body.len() + 32);
    let form = Packets::of(protocol, body);
    for packet in Packets::of(protocol, body) {
        let text = packet.text;
        if packet.is_binary {
            bytes += text.len().saturating_sub(1);
        } else if is_message(text) {
            messages += 1;
            bytes += text.len();
        } else if text.first() == Some(&b'b') {
            // Base64 (RFC 4648 section 4).
            bytes += (text.len() - 1) / 4 * 3;
        }
        if !packet.is_binary && protocol.rewrites(text) {
            form.put(&rename(text, connection), false, &mut renamed);
        } else {
            form.put(text, packet.is_binary, &mut renamed);
        }
    }
    if messages + bytes > 0 {
        connection.wrote(messages, bytes);
    }
    renamed.freeze()
}

/// The body that opens a session, in the peer's terms.
pub(super) fn rename_open(body: &[u8], connection: &Connection) -> Bytes {
    let mut renamed = BytesMut::with_capacity(body.len() + 32);
    let form = Packets::of(connection.protocol(), body);
    for packet in Packets::of(connection.protocol(), body) {
        form.put(&rename(packet.text, connection), false, &mut renamed);
    }
    renamed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_its_message_for_old_clients() {
        let read = |packet: &[u8]| refused(packet).map(|packet| String::from_utf8(packet).unwrap());
        assert_eq!(read(br#"44{"message":"no"}"#).unwrap(), r#"44"no""#);
        assert_eq!(read(br#"44/a,{"message":"\"no\"\n"}"#).unwrap(), r#"44/a,"\"no\"\n""#);
        assert_eq!(read(b"44"), None);
    }
}
