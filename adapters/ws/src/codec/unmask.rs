//! Messages that one read brought, in one frame: nothing to put together, so no state is needed.

use bytes::Bytes;
use narthex_core::Frame;

use super::{Received, Violation, header::Header};

/// Bytes of a mask.
const MASK: usize = 4;

/// A text message, of a frame whose header has been checked.
///
/// # Errors
/// [`Violation::Utf8`].
pub(super) fn text(frame: &[u8]) -> Result<Received, Violation> {
    let payload = String::from_utf8(payload(frame)).map_err(|_| Violation::Utf8)?;
    Ok(Received::Frame(Frame::text(payload)))
}

/// A binary message, of a frame whose header has been checked.
pub(super) fn binary(frame: &[u8]) -> Received {
    Received::Frame(Frame::Binary(Bytes::from(payload(frame))))
}

/// The payload without its mask (RFC 6455 section 5.3).
fn payload(frame: &[u8]) -> Vec<u8> {
    let (head, masked) = frame.split_at(Header::size(frame));
    let &[.., a, b, c, d] = head else { unreachable!("a checked header ends with {MASK} bytes of mask") };
    let mut payload = masked.to_vec();
    let mask = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.to_ne_bytes()) {
        *byte ^= mask;
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_unmasked_byte_by_byte() {
        let mask = [1, 2, 4, 8];
        for length in 0..100_u8 {
            let plain: Vec<u8> = (0..length).collect();
            let mut frame = vec![0x82, 0x80 | length];
            frame.extend(mask);
            frame.extend(plain.iter().enumerate().map(|(at, byte)| byte ^ mask[at % MASK]));
            assert_eq!(payload(&frame), plain);
        }
    }

    #[test]
    fn text_that_is_no_utf8_is_a_violation() {
        assert_eq!(text(&[0x81, 0x81, 0, 0, 0, 0, 0xff]), Err(Violation::Utf8));
    }
}
