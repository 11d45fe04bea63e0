//! The header of a client's frame (RFC 6455 section 5.2).

use super::Violation;

/// The longest header: two bytes, an eight byte length and the mask.
pub(super) const MAX_HEADER: usize = 14;

/// What a frame is (RFC 6455 section 11.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Opcode {
    #[default]
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn read(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(Violation::Protocol("reserved opcode")),
        })
    }

    /// Control frames may stand between the fragments of a message (RFC 6455 section 5.5).
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A header that has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// The payload's length, in bytes.
    pub(super) payload: u64,
}

impl Header {
    /// How many bytes the header takes, as far as `head` tells: two until the second byte is there.
    pub(super) fn size(head: &[u8]) -> usize {
        let Some(second) = head.get(1) else { return 2 };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let length = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + mask
    }

    /// Reads a header of exactly [`Header::size`] bytes.
    ///
    /// # Errors
    /// [`Violation::Protocol`] for everything that RFC 6455 sections 5.1, 5.2 and 5.5 forbid in a header.
    pub(super) fn read(head: &[u8]) -> Result<Self, Violation> {
        let &[first, second, ref extended @ ..] = head else {
            return Err(Violation::Protocol("short frame header"));
        };
        if first & 0x70 != 0 {
            return Err(Violation::Protocol("reserved bits are set"));
        }
        let fin = first & 0x80 != 0;
        let opcode = Opcode::read(first & 0x0F)?;
        if second & 0x80 == 0 {
            return Err(Violation::Protocol("frame is not masked"));
        }
        let payload = length(second & 0x7F, extended)?;
        if opcode.is_control() && !fin {
            return Err(Violation::Protocol("fragmented control frame"));
        }
        if opcode.is_control() && payload > 125 {
            return Err(Violation::Protocol("control frame too long"));
        }
        Ok(Self { fin, opcode, payload })
    }
}

/// The payload's length, which must be written in the fewest bytes that hold it.
fn length(short: u8, extended: &[u8]) -> Result<u64, Violation> {
    let (length, least) = match short {
        126 => (extended.first_chunk().map(|bytes| u64::from(u16::from_be_bytes(*bytes))), 126),
        127 => (extended.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)), 1 << 16),
        short => (Some(u64::from(short)), 0),
    };
    match length {
        Some(length) if length >> 63 != 0 => Err(Violation::Protocol("frame length out of range")),
        Some(length) if length < least => Err(Violation::Protocol("frame length is not minimal")),
        Some(length) => Ok(length),
        None => Err(Violation::Protocol("short frame header")),
    }
}
