//! Session ids as the peer knows them, and as the engine does.

use bytes::{Bytes, BytesMut};
use http::Uri;
use socketioxide_core::Sid;

use super::polling::SEPARATOR;
use crate::{connection::Connection, io::is_message};

/// The same URI with the engine's session id.
pub(super) fn with_sid(uri: &Uri, sid: Sid) -> Option<Uri> {
    let pairs = uri.query()?.split('&').map(|pair| match pair.starts_with("sid=") {
        true => format!("sid={sid}"),
        false => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Uri::try_from(format!("{}?{query}", uri.path())).ok()
}

/// The open packet and CONNECT packets in the peer's terms; `None` for every other packet.
pub(crate) fn rename(packet: &[u8], connection: &Connection) -> Option<Vec<u8>> {
    const MEMBER: &[u8] = b"\"sid\":\"";
    let at = packet.windows(MEMBER.len()).position(|window| window == MEMBER)? + MEMBER.len();
    let len = packet[at..].iter().position(|byte| *byte == b'"')?;
    let id = if packet.first() == Some(&b'0') {
        if let Some(sid) = std::str::from_utf8(&packet[at..at + len]).ok().and_then(|sid| sid.parse().ok()) {
            connection.set_sid(sid);
        }
        connection.secret()
    } else {
        let rest = std::str::from_utf8(packet.strip_prefix(b"40")?).ok()?;
        let namespace = if rest.starts_with('/') { rest.split_once(',')?.0 } else { "/" };
        connection.id(namespace)?.to_string()
    };
    Some([&packet[..at], id.as_bytes(), &packet[at + len..]].concat())
}

/// The body of a poll in the peer's terms.
pub(super) fn rename_all(body: Bytes, connection: &Connection) -> Bytes {
    let (mut messages, mut bytes) = (0, 0);
    let mut renamed = BytesMut::with_capacity(body.len() + 32);
    for (at, packet) in body.split(|byte| *byte == SEPARATOR).enumerate() {
        if at > 0 {
            renamed.extend_from_slice(&[SEPARATOR]);
        }
        if is_message(packet) {
            messages += 1;
            bytes += packet.len();
        } else if packet.first() == Some(&b'b') {
            // Base64 (RFC 4648 section 4).
            bytes += (packet.len() - 1) / 4 * 3;
        }
        match packet.starts_with(b"40").then(|| rename(packet, connection)).flatten() {
            Some(packet) => renamed.extend_from_slice(&packet),
            None => renamed.extend_from_slice(packet),
        }
    }
    if messages + bytes > 0 {
        connection.wrote(messages, bytes);
    }
    renamed.freeze()
}
