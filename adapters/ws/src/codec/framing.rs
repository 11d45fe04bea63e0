//! The server's own frames: whole, unmasked (RFC 6455 section 5.1), one buffer for any number of readers.

use bytes::Bytes;
use narthex_core::Frame;

/// Text frame, final.
pub(crate) const TEXT: u8 = 0x81;
/// Binary frame, final.
pub(crate) const BINARY: u8 = 0x82;
/// Close frame.
const CLOSE: u8 = 0x88;
/// Ping frame without a payload.
const PING: [u8; 2] = [0x89, 0];

/// The longest reason of a close frame, in bytes: 125 less the code (RFC 6455 section 5.5.1).
const MAX_REASON: usize = 123;

/// Appends one frame. `first` is its first byte: FIN and opcode.
pub(crate) fn write_frame(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.reserve(10 + payload.len());
    write_header(out, first, payload.len());
    out.extend_from_slice(payload);
}

/// Appends the header of a frame with `len` bytes of payload (RFC 6455 section 5.2).
pub(crate) fn write_header(out: &mut Vec<u8>, first: u8, len: usize) {
    if len < 126 {
        out.extend_from_slice(&[first, len as u8]);
    } else if len <= usize::from(u16::MAX) {
        out.extend_from_slice(&[first, 126, (len >> 8) as u8, len as u8]);
    } else {
        out.extend_from_slice(&[first, 127]);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
}

/// One frame as shared bytes: the door's [`Framing`](narthex_core::Framing), made once for a whole room.
pub(crate) fn frame(frame: &Frame) -> Bytes {
    let payload = frame.payload();
    let mut out = Vec::with_capacity(10 + payload.len());
    write_frame(&mut out, if frame.is_text() { TEXT } else { BINARY }, payload);
    Bytes::from(out)
}

/// Appends a ping. It carries nothing: any traffic counts as an answer.
pub(crate) fn write_ping(out: &mut Vec<u8>) {
    out.extend_from_slice(&PING);
}

/// Appends a close frame. A code that must not travel (RFC 6455 section 7.4.1) leaves it without a body; a
/// reason that is too long is cut at the end of a character.
pub(crate) fn write_close(out: &mut Vec<u8>, code: u16, reason: &str) {
    if !may_travel(code) {
        return write_frame(out, CLOSE, &[]);
    }
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    out.extend_from_slice(&[CLOSE, 2 + reason.len() as u8]);
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
