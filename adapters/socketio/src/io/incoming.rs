//! What a WebSocket brings: followed until the engine's early ping is answered, and for CONNECT packets where they are of
//! interest.

use crate::protocol::Protocol;

/// The answer to the engine's early ping, as a peer would write it: a masked text frame with `3`.
pub(crate) const PONG: [u8; 7] = [0x81, 0x81, 0, 0, 0, 0, b'3'];

/// How a CONNECT packet begins whose namespace is not the root.
pub(crate) const CONNECT: &[u8] = b"40/";

/// Has the engine read what an old peer writes after its namespace: `40/chat?token=a,` becomes `40/chat,token=a,`, so that it is
/// the payload of the CONNECT. (In version 4 it would be one of JSON.)
pub(crate) fn part_query(packet: &mut [u8]) {
    let mut query = Query::default();
    packet.iter_mut().for_each(|byte| *byte ^= query.change(*byte));
}

/// Looks for the end of a CONNECT packet's namespace.
#[derive(Debug, Default)]
struct Query {
    passed: bool,
}

impl Query {
    /// What is to be changed of the packet's next byte, masked or not.
    fn change(&mut self, byte: u8) -> u8 {
        let begins = !self.passed && byte == b'?';
        self.passed |= matches!(byte, b'?' | b',');
        if begins { b'?' ^ b',' } else { 0 }
    }
}

/// Follows the frames (RFC 6455 section 5.2) of a peer, to know where one ends.
#[derive(Debug)]
pub(crate) struct Incoming {
    protocol: Protocol,
    head: [u8; 14],
    have: usize,
    left: u64,
    /// The mask, and how much of the payload has been seen.
    mask: [u8; 4],
    seen: usize,
    /// What may be a CONNECT packet, as far as it has come.
    packet: Option<Vec<u8>>,
    query: Query,
}

/// The longest packet that is looked at: a CONNECT with the longest namespace that is of use.
const LOOKED_AT: usize = 512;

impl Incoming {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            head: [0; 14],
            have: 0,
            left: 0,
            mask: [0; 4],
            seen: 0,
            packet: None,
            query: Query::default(),
        }
    }

    /// How many bytes are read at the least before the frame ends; nothing between two frames.
    pub(crate) fn until_end(&self) -> usize {
        match (self.left, self.have) {
            (0, 0) => 0,
            (0, _) => 1,
            (left, _) => usize::try_from(left).unwrap_or(usize::MAX),
        }
    }

    /// Follows bytes that are on their way to the engine, and shows each packet that begins as a CONNECT to a namespace. Of an
    /// old peer, such a packet's query is parted from its namespace.
    pub(crate) fn advance(&mut self, mut bytes: &mut [u8], mut connect: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.look(&mut bytes[..step]);
                self.left -= step as u64;
                bytes = &mut bytes[step..];
                if self.left == 0
                    && let Some(packet) = self.packet.take()
                {
                    connect(&packet);
                }
                continue;
            }
            self.head[self.have] = bytes[0];
            self.have += 1;
            bytes = &mut bytes[1..];
            if let Some(payload) = self.payload() {
                // A whole text frame.
                self.packet = (self.head[0] == 0x81).then(Vec::new);
                self.query = Query::default();
                self.mask.copy_from_slice(&self.head[self.have.saturating_sub(4)..][..4]);
                self.seen = 0;
                self.left = payload;
                self.have = 0;
            }
        }
    }

    fn look(&mut self, masked: &mut [u8]) {
        let Some(packet) = &mut self.packet else { return };
        for masked in masked {
            let at = packet.len();
            let mut byte = *masked ^ self.mask[self.seen % 4];
            self.seen += 1;
            if at >= LOOKED_AT {
                return;
            }
            if CONNECT.get(at).is_some_and(|expected| *expected != byte) {
                self.packet = None;
                return;
            }
            if self.protocol == Protocol::V3 {
                let change = self.query.change(byte);
                byte ^= change;
                *masked ^= change;
            }
            packet.push(byte);
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

    fn masked(payload: &[u8]) -> Vec<u8> {
        let mask = [7, 1, 200, 90];
        let mut frame = vec![0x81, 0x80 | u8::try_from(payload.len()).unwrap()];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        frame
    }

    #[test]
    fn the_end_of_a_frame_is_known() {
        let mut incoming = Incoming::new(Protocol::V4);
        assert_eq!(incoming.until_end(), 0);
        let mut advance = |bytes: &[u8]| {
            incoming.advance(&mut bytes.to_vec(), |_| panic!("no CONNECT"));
            incoming.until_end()
        };
        assert_eq!(advance(&[0x81]), 1);
        assert_eq!(advance(&[0x83, 1, 2, 3, 4]), 3);
        assert_eq!(advance(&[0, 0]), 1);
        assert_eq!(advance(&[0]), 0);
        assert_eq!(advance(&PONG), 0);
        assert_eq!(advance(&[0x82, 0xfe, 1, 0, 9, 9, 9, 9]), 256);
    }

    #[test]
    fn a_connect_is_seen_however_it_is_cut() {
        let stream: Vec<u8> = [&b"40/game/1,{}"[..], b"42[\"a\"]", b"40", b"40/game/2,"]
            .iter()
            .flat_map(|p| masked(p))
            .collect();
        for size in 1..stream.len() {
            let (mut incoming, mut seen) = (Incoming::new(Protocol::V4), Vec::new());
            for chunk in stream.clone().chunks_mut(size) {
                incoming.advance(chunk, |packet| seen.push(packet.to_vec()));
            }
            // The root's is shown too, as far as it goes.
            seen.retain(|packet| packet.starts_with(CONNECT));
            assert_eq!(seen, [&b"40/game/1,{}"[..], b"40/game/2,"], "{size}");
        }
    }

    #[test]
    fn an_old_peer_s_query_is_parted_from_its_namespace_and_nothing_else_is_touched() {
        let packets = [&b"40/game/1?a=b?c,"[..], b"42/game,[\"what?\"]", b"40/a,?", b"4/?", b"40/x?"];
        let parted = [&b"40/game/1,a=b?c,"[..], b"42/game,[\"what?\"]", b"40/a,?", b"4/?", b"40/x,"];
        let stream: Vec<u8> = packets.iter().flat_map(|p| masked(p)).collect();
        let expected: Vec<u8> = parted.iter().flat_map(|p| masked(p)).collect();
        for size in 1..stream.len() {
            let (mut incoming, mut passed, mut seen) = (Incoming::new(Protocol::V3), stream.clone(), 0);
            for chunk in passed.chunks_mut(size) {
                incoming.advance(chunk, |_| seen += 1);
            }
            assert_eq!((&passed, seen), (&expected, 3), "{size}");
        }
        let mut untouched = stream.clone();
        Incoming::new(Protocol::V4).advance(&mut untouched, |_| {});
        assert_eq!(untouched, stream);
    }
}
