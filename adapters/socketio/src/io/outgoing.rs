//! What the engine writes to a WebSocket: followed frame by frame, so that the peer reads its own ids and what is written is
//! known.

use crate::protocol::Protocol;

/// What to do with the bytes at hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write so many as they are.
    Pass(usize),
    /// Write these instead of the first so many.
    Replace { taken: usize, with: Vec<u8> },
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// Follows the frames (RFC 6455 section 5.2) that the engine writes: unmasked, never fragmented, and each handed over whole.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The beginning of the frame that is being written: its head and two bytes more.
    begun: [u8; 12],
    have: usize,
    /// What of the frame is left to write.
    left: u64,
    /// The size of a message's frame that is being written.
    message: Option<usize>,
    protocol: Protocol,
    /// The session was opened by this WebSocket: the open packet is still to come.
    opening: bool,
    /// The engine's early ping is still to come.
    ping_due: bool,
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// A frame's head: how long it is, and how long the payload.
fn head(bytes: &[u8]) -> Option<(usize, u64)> {
    let len = bytes.get(1)? & 0x7f;
    match len {
        126 => Some((4, u64::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])))),
        127 => Some((10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        len => Some((2, u64::from(len))),
    }
}

/// The first frame, where all of it is there: how long its head is, and how long its payload.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let (head, payload) = head(bytes)?;
    let payload = usize::try_from(payload).ok()?;
    (payload <= bytes.len().checked_sub(head)?).then_some((head, payload))
}

/// Whether a frame is one that members count, by its first byte and the beginning of its payload.
fn counts(first: u8, payload: &[u8]) -> bool {
    match first {
        TEXT => is_message(payload),
        BINARY => true,
        _ => false,
    }
}

/// An unmasked text frame.
fn text_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 4);
    frame.push(TEXT);
    match u8::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(len),
        _ => {
            frame.push(126);
            // Only packets of ids are written anew.
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// Whether an engine packet is a message that members count: anything but CONNECT and CONNECT_ERROR.
pub(crate) fn is_message(packet: &[u8]) -> bool {
    matches!(packet, [b'4', b'1' | b'2' | b'3' | b'5' | b'6', ..])
}

impl Outgoing {
    /// `opening`: the session begins with this WebSocket, and is not upgraded to it.
    pub(crate) fn new(protocol: Protocol, opening: bool) -> Self {
        let ping_due = opening && protocol.has_early_ping();
        Self { begun: [0; 12], have: 0, left: 0, message: None, protocol, opening, ping_due }
    }

    /// Looks at what the engine wants to write. `anew` gives packets in the peer's terms: the open packet, and what
    /// [`Protocol::rewrites`].
    pub(crate) fn next(&mut self, bytes: &[u8], anew: impl Fn(&[u8]) -> Vec<u8>) -> Step {
        if self.have > 0 {
            return Step::Pass(bytes.len());
        }
        let mut at = usize::try_from(self.left).unwrap_or(usize::MAX);
        while at < bytes.len() {
            let frame = &bytes[at..];
            let Some((head, payload)) = head(frame) else { break };
            let whole = usize::try_from(payload).unwrap_or(usize::MAX).saturating_add(head);
            if frame[0] == TEXT
                && let Some(packet) = frame.get(head..whole)
            {
                let is_open = self.opening && packet.first() == Some(&b'0');
                let is_ping = self.ping_due && packet == b"2";
                if is_open || is_ping || self.protocol.rewrites(packet) {
                    if at > 0 {
                        return Step::Pass(at);
                    }
                    self.opening &= !is_open;
                    self.ping_due &= !is_ping;
                    let with = if is_ping { Vec::new() } else { text_frame(&anew(packet)) };
                    return Step::Replace { taken: whole, with };
                }
            }
            at = at.saturating_add(whole);
        }
        Step::Pass(bytes.len())
    }

    /// Whether the engine's early ping was taken away, which the peer must not know of.
    pub(crate) fn has_swallowed_ping(&self) -> bool {
        !self.ping_due
    }

    /// Follows bytes that were written as they are.
    pub(crate) fn advance(&mut self, mut bytes: &[u8]) -> Written {
        let mut written = Written::default();
        while !bytes.is_empty() {
            if self.left == 0
                && self.have == 0
                && let Some((head, payload)) = whole(bytes)
            {
                // The common case: the engine writes whole frames, and the socket takes them.
                let (frame, rest) = bytes.split_at(head + payload);
                if counts(frame[0], &frame[head..]) {
                    written.bytes += payload;
                    written.messages += usize::from(frame[0] == TEXT);
                }
                bytes = rest;
                continue;
            }
            if self.left > 0 {
                let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= step as u64;
                bytes = &bytes[step..];
            } else {
                self.begun[self.have] = bytes[0];
                self.have += 1;
                bytes = &bytes[1..];
                self.begin();
            }
            if self.left == 0
                && self.have == 0
                && let Some(size) = self.message.take()
            {
                written.bytes += size;
                written.messages += usize::from(self.begun[0] == TEXT);
            }
        }
        written
    }

    /// Looks whether enough of the frame has come to know what it is.
    fn begin(&mut self) {
        let Some((head, payload)) = head(&self.begun[..self.have]) else { return };
        let wanted = head + usize::try_from(payload.min(2)).unwrap_or_default();
        if self.have < wanted {
            return;
        }
        let size = usize::try_from(payload).unwrap_or(usize::MAX);
        self.message = counts(self.begun[0], &self.begun[head..wanted]).then_some(size);
        self.left = payload - (wanted - head) as u64;
        self.have = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anew(packet: &[u8]) -> Vec<u8> {
        [packet, b"!"].concat()
    }

    fn all(outgoing: &mut Outgoing, mut bytes: &[u8]) -> (Vec<u8>, Written) {
        let (mut out, mut total) = (Vec::new(), Written::default());
        while !bytes.is_empty() {
            match outgoing.next(bytes, anew) {
                Step::Pass(n) => {
                    // The socket takes one byte at a time.
                    let n = n.min(1);
                    let written = outgoing.advance(&bytes[..n]);
                    total.messages += written.messages;
                    total.bytes += written.bytes;
                    out.extend_from_slice(&bytes[..n]);
                    bytes = &bytes[n..];
                }
                Step::Replace { taken, with } => {
                    out.extend_from_slice(&with);
                    bytes = &bytes[taken..];
                }
            }
        }
        (out, total)
    }

    #[test]
    fn ids_are_written_anew_and_the_first_ping_is_taken_away() {
        let mut outgoing = Outgoing::new(Protocol::V4, true);
        let stream: Vec<u8> =
            [&b"0{}"[..], b"2", b"40{}", b"42[\"a\"]", b"2"].iter().flat_map(|p| text_frame(p)).collect();
        let (out, written) = all(&mut outgoing, &stream);
        let expected: Vec<u8> =
            [&b"0{}!"[..], b"40{}!", b"42[\"a\"]", b"2"].iter().flat_map(|p| text_frame(p)).collect();
        assert_eq!(out, expected);
        assert_eq!(written, Written { messages: 1, bytes: 7 });
        assert!(outgoing.has_swallowed_ping());
    }

    #[test]
    fn an_upgraded_session_keeps_its_pings() {
        let mut outgoing = Outgoing::new(Protocol::V4, false);
        let stream = [text_frame(b"3probe"), text_frame(b"2"), text_frame(b"0")].concat();
        assert_eq!(all(&mut outgoing, &stream).0, stream);
    }

    #[test]
    fn an_old_peer_reads_its_session_s_name_and_its_refusals_anew_and_keeps_its_pongs() {
        let mut outgoing = Outgoing::new(Protocol::V3, true);
        let packets = [&b"0{}"[..], b"40", b"2", b"44{}", b"3", b"0"];
        let stream: Vec<u8> = packets.iter().flat_map(|p| text_frame(p)).collect();
        let expected: Vec<u8> =
            [&b"0{}!"[..], b"40", b"2", b"44{}!", b"3", b"0"].iter().flat_map(|p| text_frame(p)).collect();
        assert_eq!(all(&mut outgoing, &stream).0, expected);
    }

    #[test]
    fn messages_are_counted_with_their_attachments_whatever_their_size() {
        let mut outgoing = Outgoing::new(Protocol::V4, false);
        let long = [b"42".to_vec(), vec![b'x'; 70_000]].concat();
        let mut stream = vec![TEXT, 127];
        stream.extend_from_slice(&(long.len() as u64).to_be_bytes());
        stream.extend_from_slice(&long);
        stream.extend_from_slice(&[BINARY, 3, 1, 2, 3, 0x8a, 0, BINARY, 0]);
        stream.extend(text_frame(b"44{}"));
        stream.extend(text_frame(&[&b"43"[..], &[b'y'; 300]].concat()));
        let (out, written) = all(&mut outgoing, &stream);
        assert_eq!(out, stream);
        assert_eq!(written, Written { messages: 2, bytes: long.len() + 3 + 302 });
    }
}
