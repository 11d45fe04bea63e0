//! What is written on a stream (<https://html.spec.whatwg.org/multipage/server-sent-events.html>, section 9.2.5).

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use narthex_core::{Carried, ClientId, CloseReason, Frame};
use serde::Serialize;

/// How long a browser waits before it asks again by itself, in milliseconds.
const RETRY: &[u8] = b"retry: 1000\n";

/// The data of the event `session`. It has a secret in it, so it has no `Debug`.
#[derive(Serialize)]
pub(crate) struct Opening<'a> {
    /// The public id.
    pub(crate) client: ClientId,
    /// The session's token: the public id, a point, the secret.
    pub(crate) session: &'a str,
    /// Whether the client was there before.
    pub(crate) resumed: bool,
    /// The number of the last message that was received: the client goes on with the next.
    pub(crate) seq: u64,
    /// Milliseconds between two pings on a quiet stream.
    pub(crate) ping: u64,
    /// Milliseconds that the session waits for another stream.
    pub(crate) grace: u64,
}

/// The data of the event `close`.
#[derive(Debug, Serialize)]
struct Goodbye<'a> {
    code: u16,
    reason: &'a str,
}

pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The door's [`Framing`](narthex_core::Framing): the `data:` line, made once for a whole room. The line with the number
/// is each client's own.
pub(crate) fn frame(frame: &Frame) -> Bytes {
    let mut out = BytesMut::with_capacity(frame.payload().len() + 7);
    write_data(&mut out, frame.payload());
    out.freeze()
}

/// Appends one numbered frame.
pub(crate) fn write_frame(out: &mut BytesMut, number: u64, frame: &Carried) {
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(number.to_string().as_bytes());
    out.put_u8(b'\n');
    match frame {
        Carried::Framed(line) => out.extend_from_slice(line),
        Carried::Frame(frame) => write_data(out, frame.payload()),
        // Nothing else is carried by this door.
        _ => write_data(out, b""),
    }
    out.put_u8(b'\n');
}

/// Appends the first event of a stream.
pub(crate) fn write_opening(out: &mut BytesMut, opening: &Opening<'_>) {
    out.extend_from_slice(RETRY);
    write_event(out, "session", opening);
}

/// Appends a ping. It is an event, since browsers do not show comments to a page.
pub(crate) fn write_ping(out: &mut BytesMut) {
    out.extend_from_slice(b"event: ping\ndata: {}\n\n");
}

/// Appends the last event of a stream. A code that says that nobody spoke is not spoken.
pub(crate) fn write_close(out: &mut BytesMut, reason: &CloseReason) {
    let code = match reason.code() {
        1005 | 1006 | 1015 => 1000,
        code => code,
    };
    write_event(out, "close", &Goodbye { code, reason: reason.text() });
}

fn write_event(out: &mut BytesMut, name: &str, data: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.put_u8(b'\n');
    // Strings and numbers are always written.
    write_data(out, &serde_json::to_vec(data).unwrap_or_default());
    out.put_u8(b'\n');
}

/// Appends a `data:` line. JSON has line ends between its tokens alone, where a space says the same.
fn write_data(out: &mut BytesMut, json: &[u8]) {
    out.extend_from_slice(b"data: ");
    let at = out.len();
    out.extend_from_slice(json);
    for byte in &mut out[at..] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    out.put_u8(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_cannot_break_out_of_a_frame() {
        let evil = Frame::text("{\"event\":\"a\",\"data\":[1,\r\n\n\rid: 9\ndata: 2]}");
        let mut out = BytesMut::new();
        write_frame(&mut out, 7, &Carried::Frame(evil.clone()));
        assert_eq!(&out[..], b"id: 7\ndata: {\"event\":\"a\",\"data\":[1,    id: 9 data: 2]}\n\n");
        let mut framed = BytesMut::new();
        write_frame(&mut framed, 7, &Carried::Framed(frame(&evil)));
        assert_eq!(framed, out);
    }

    #[test]
    fn a_goodbye_is_an_event_whose_text_stays_inside() {
        let mut out = BytesMut::new();
        write_close(&mut out, &CloseReason::disconnected(4100, "a\"\nb"));
        assert_eq!(&out[..], b"event: close\ndata: {\"code\":4100,\"reason\":\"a\\\"\\nb\"}\n\n");
    }
}
