//! Messages that one read brought, in one frame: nothing to put together, so no state is needed.

use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use narthex_core::Frame;

use super::{Received, Violation, header::Header};

/// Bytes of a mask.
const MASK: usize = 4;
/// Payloads of at most so many bytes share memory: one allocation for many messages.
const SMALL: usize = 512;
/// Memory that they share, in bytes. A message that is kept keeps all of it.
const SHARED: usize = 2 * 1024;

thread_local! {
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// A text message, of a frame whose header has been checked.
///
/// # Errors
/// [`Violation::Utf8`].
pub(super) fn text(frame: &[u8]) -> Result<Received, Violation> {
    let payload = payload(frame);
    match std::str::from_utf8(&payload) {
        Ok(_) => Ok(Received::Frame(Frame::Text(payload))),
        Err(_) => Err(Violation::Utf8),
    }
}

/// A binary message, of a frame whose header has been checked.
pub(super) fn binary(frame: &[u8]) -> Received {
    Received::Frame(Frame::Binary(payload(frame)))
}

/// The payload without its mask (RFC 6455 section 5.3).
fn payload(frame: &[u8]) -> Bytes {
    let (head, masked) = frame.split_at(Header::size(frame));
    let &[.., a, b, c, d] = head else { unreachable!("a checked header ends with {MASK} bytes of mask") };
    let mask = [a, b, c, d];
    if masked.is_empty() {
        return Bytes::new();
    }
    if masked.len() > SMALL {
        let mut payload = masked.to_vec();
        unmask(&mut payload, mask);
        return payload.into();
    }
    let spare = SPARE.take().filter(|spare| spare.capacity() >= masked.len());
    let mut spare = spare.unwrap_or_else(|| BytesMut::with_capacity(SHARED));
    spare.extend_from_slice(masked);
    unmask(&mut spare, mask);
    let payload = spare.split().freeze();
    SPARE.set(Some(spare));
    payload
}

fn unmask(payload: &mut [u8], [a, b, c, d]: [u8; MASK]) {
    let mask = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.to_ne_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_unmasked_byte_by_byte() {
        let mask = [1, 2, 4, 8];
        let mut kept = Vec::new();
        for length in (0..100_u16).chain(SMALL as u16 - 2..SMALL as u16 + 2) {
            let plain: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut frame = match length {
                0..126 => vec![0x82, 0x80 | length as u8],
                _ => [&[0x82, 0xfe], &length.to_be_bytes()[..]].concat(),
            };
            frame.extend(mask);
            frame.extend(plain.iter().enumerate().map(|(at, byte)| byte ^ mask[at % MASK]));
            kept.push((payload(&frame), plain));
        }
        // What came later has not touched what came before.
        assert!(kept.iter().all(|(payload, plain)| payload == plain));
    }

    #[test]
    fn text_that_is_no_utf8_is_a_violation() {
        assert_eq!(text(&[0x81, 0x81, 0, 0, 0, 0, 0xff]), Err(Violation::Utf8));
    }
}
