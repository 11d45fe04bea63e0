//! WebSocket frames as a client writes and reads them, as far as the generator needs them.

use crate::Result;

/// Opcode of a text frame.
pub(crate) const TEXT: u8 = 0x1;
/// Opcode of a close frame.
pub(crate) const CLOSE: u8 = 0x8;
/// Opcode of a ping.
pub(crate) const PING: u8 = 0x9;
/// Opcode of a pong.
pub(crate) const PONG: u8 = 0xA;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A whole frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What kind of frame it is.
    pub(crate) opcode: u8,
    /// Its payload, unmasked as server frames are.
    pub(crate) payload: &'a [u8],
    /// Its length on the wire, header included.
    pub(crate) length: usize,
}

/// Appends one final frame, masked with `key`.
pub(crate) fn push(out: &mut Vec<u8>, opcode: u8, payload: &[u8], key: [u8; 4]) {
    out.push(FIN | opcode);
    match payload.len() {
        short @ 0..=125 => out.push(MASKED | short as u8),
        medium @ 126..=0xFFFF => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    for chunk in out[start..].chunks_mut(4) {
        chunk.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    }
}

/// The first frame in `bytes`, or `None` while it is not whole.
///
/// # Errors
///
/// A masked, fragmented or extended frame: no server under test has a reason to send one.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>> {
    let &[head, size, ref rest @ ..] = bytes else { return Ok(None) };
    if head & 0xF0 != FIN || size & MASKED != 0 {
        return Err(format!("the server sent a frame that starts {head:#04x} {size:#04x}").into());
    }
    let (extended, length): (usize, usize) = match size {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (2, usize::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (8, usize::try_from(u64::from_be_bytes(*length))?),
            None => return Ok(None),
        },
        short => (0, usize::from(short)),
    };
    let end = extended.checked_add(length).ok_or("a frame longer than memory")?;
    let Some(payload) = rest.get(extended..end) else { return Ok(None) };
    Ok(Some(Frame { opcode: head & 0x0F, payload, length: 2 + end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would send back for `payload`.
    fn unmasked(payload: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        push(&mut wire, TEXT, payload, [0; 4]);
        let key = wire.len() - payload.len() - 4;
        wire.drain(key..key + 4);
        wire[1] &= !MASKED;
        wire
    }

    #[test]
    fn the_mask_of_the_rfc_example_is_applied() {
        let mut wire = Vec::new();
        push(&mut wire, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(wire, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn every_length_class_is_read_back() {
        for size in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; size];
            let wire = unmasked(&payload);
            let frame = first(&wire).unwrap().unwrap();
            assert_eq!(frame, Frame { opcode: TEXT, payload: &payload, length: wire.len() });
            assert_eq!(first(&wire[..wire.len() - 1]).unwrap(), None);
        }
    }

    #[test]
    fn a_masked_server_frame_is_refused() {
        assert!(first(&[0x81, 0x80, 0, 0, 0, 0]).is_err());
    }
}
