//! What a WebSocket brings: followed only until the engine's early ping is answered.

/// The answer to the engine's early ping, as a peer would write it: a masked text frame with `3`.
pub(crate) const PONG: [u8; 7] = [0x81, 0x81, 0, 0, 0, 0, b'3'];

/// Follows the frames (RFC 6455 section 5.2) of a peer, to know where one ends.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    head: [u8; 14],
    have: usize,
    left: u64,
}

impl Incoming {
    /// How many bytes are read at the least before the frame ends; nothing between two frames.
    pub(crate) fn until_end(&self) -> usize {
        match (self.left, self.have) {
            (0, 0) => 0,
            (0, _) => 1,
            (left, _) => usize::try_from(left).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn advance(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= step as u64;
                bytes = &bytes[step..];
                continue;
            }
            self.head[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if let Some(payload) = self.payload() {
                self.left = payload;
                self.have = 0;
            }
        }
    }

    /// The payload's length, once the head is whole.
    fn payload(&self) -> Option<u64> {
        let head = &self.head[..self.have];
        let byte = *head.get(1)?;
        let mask = if byte & 0x80 == 0 { 0 } else { 4 };
        let (size, payload) = match byte & 0x7f {
            126 => (4, u64::from(u16::from_be_bytes([*head.get(2)?, *head.get(3)?]))),
            127 => (10, u64::from_be_bytes(*head.get(2..)?.first_chunk()?)),
            len => (2, u64::from(len)),
        };
        (head.len() == size + mask).then_some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_frame_is_known() {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.until_end(), 0);
        incoming.advance(&[0x81]);
        assert_eq!(incoming.until_end(), 1);
        incoming.advance(&[0x83, 1, 2, 3, 4]);
        assert_eq!(incoming.until_end(), 3);
        incoming.advance(&[0, 0]);
        assert_eq!(incoming.until_end(), 1);
        incoming.advance(&[0]);
        assert_eq!(incoming.until_end(), 0);
        incoming.advance(&PONG);
        assert_eq!(incoming.until_end(), 0);
        incoming.advance(&[0x82, 0xfe, 1, 0, 9, 9, 9, 9]);
        assert_eq!(incoming.until_end(), 256);
    }
}
