//! Numbered frames that the peer has not confirmed.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{AttachError, ResumeOptions};
use crate::message::{Frame, Outlet};

/// With a carrier, so many frames and bytes that it has not taken are enough: what is more waits in the outbox.
const AHEAD_MESSAGES: usize = 64;
const AHEAD_BYTES: usize = 64 * 1024;

/// A frame on its way to a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carried {
    /// As the session wrote it.
    Frame(Frame),
    /// Written in advance by the door's [`Framing`](crate::Framing).
    Framed(Bytes),
}

impl Carried {
    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.payload().len(),
            Self::Framed(bytes) => bytes.len(),
        }
    }

    /// Whether it holds no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The frames from the first that is not confirmed to the last that was written. The numbers begin with 1.
#[derive(Debug)]
pub(super) struct Ring {
    items: VecDeque<Carried>,
    bytes: usize,
    /// The number of the first of `items`.
    first: u64,
    /// The number of the frame that the carrier takes next.
    next: u64,
    /// How many bytes the carrier has yet to take.
    ahead_bytes: usize,
    /// The highest number that any carrier has taken.
    sent: u64,
}

impl Default for Ring {
    fn default() -> Self {
        Self { items: VecDeque::new(), bytes: 0, first: 1, next: 1, ahead_bytes: 0, sent: 0 }
    }
}

impl Ring {
    /// How many frames the carrier has yet to take.
    pub(super) fn ahead(&self) -> usize {
        self.items.len() - self.taken()
    }

    /// How many of `items` the carrier has taken.
    fn taken(&self) -> usize {
        usize::try_from(self.next - self.first).unwrap_or(usize::MAX)
    }

    /// How many frames and bytes there is room for.
    pub(super) fn room(&self, attached: bool, options: &ResumeOptions) -> (usize, usize) {
        let (used, bytes, most, most_bytes) = if attached {
            let most = AHEAD_MESSAGES.min(options.ring_messages);
            (self.ahead(), self.ahead_bytes, most, AHEAD_BYTES.min(options.ring_bytes))
        } else {
            (self.items.len(), self.bytes, options.ring_messages, options.ring_bytes)
        };
        (most.saturating_sub(used), most_bytes.saturating_sub(bytes))
    }

    pub(super) fn push(&mut self, item: Carried) {
        self.bytes += item.len();
        self.ahead_bytes += item.len();
        self.items.push_back(item);
    }

    /// The next frame for the carrier.
    pub(super) fn take(&mut self) -> Option<(u64, Carried)> {
        let item = self.items.get(self.taken())?.clone();
        let number = self.next;
        self.next += 1;
        self.ahead_bytes -= item.len();
        self.sent = self.sent.max(number);
        Some((number, item))
    }

    /// Forgets the oldest frames that the carrier has taken, until the bounds are kept.
    pub(super) fn trim(&mut self, options: &ResumeOptions) {
        while self.first < self.next
            && (self.items.len() > options.ring_messages || self.bytes > options.ring_bytes)
        {
            self.forget_first();
        }
    }

    /// Forgets what the peer has confirmed. A number that no carrier has reached confirms nothing.
    pub(super) fn confirm(&mut self, last_seen: u64) {
        if last_seen < self.next {
            while self.first <= last_seen {
                self.forget_first();
            }
            if self.items.is_empty() {
                self.items = VecDeque::new();
            }
        }
    }

    fn forget_first(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= item.len();
        }
        self.first += 1;
    }

    /// Begins behind the last frame that the peer has seen.
    pub(super) fn rewind(&mut self, last_seen: u64) -> Result<(), AttachError> {
        if last_seen > self.sent {
            return Err(AttachError::Ahead);
        }
        if last_seen + 1 < self.first {
            return Err(AttachError::Lost);
        }
        self.next = last_seen + 1;
        self.ahead_bytes = self.items.iter().skip(self.taken()).map(Carried::len).sum();
        self.confirm(last_seen);
        Ok(())
    }
}

/// What one turn of the session writes, before it is numbered.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) items: Vec<Carried>,
    bytes: usize,
    /// How many frames and bytes the ring had room for.
    room: (usize, usize),
}

impl Batch {
    pub(super) fn new(room: (usize, usize)) -> Self {
        Self { items: Vec::new(), bytes: 0, room }
    }

    fn push(&mut self, item: Carried) {
        self.bytes += item.len();
        self.items.push(item);
    }
}

impl Outlet for Batch {
    fn text(&mut self, payload: &[u8]) {
        self.push(Carried::Frame(Frame::Text(Bytes::copy_from_slice(payload))));
    }

    fn binary(&mut self, payload: &[u8]) {
        self.push(Carried::Frame(Frame::Binary(Bytes::copy_from_slice(payload))));
    }

    fn frame(&mut self, frame: &Frame) {
        self.push(Carried::Frame(frame.clone()));
    }

    fn framed(&mut self, bytes: &Bytes) {
        self.push(Carried::Framed(bytes.clone()));
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.room.0 || self.bytes >= self.room.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn ring(frames: usize) -> Ring {
        let mut ring = Ring::default();
        (0..frames).for_each(|_| ring.push(Carried::Frame(Frame::text("1234"))));
        ring
    }

    fn numbers(ring: &mut Ring) -> Vec<u64> {
        std::iter::from_fn(|| ring.take().map(|(number, _)| number)).collect()
    }

    #[test]
    fn a_second_reader_begins_behind_what_was_seen() {
        let mut ring = ring(4);
        assert_eq!(numbers(&mut ring), [1, 2, 3, 4]);
        ring.rewind(2).unwrap();
        assert_eq!((ring.items.len(), ring.bytes, ring.ahead_bytes), (2, 8, 8));
        assert_eq!(numbers(&mut ring), [3, 4]);
        assert_eq!(ring.rewind(1), Err(AttachError::Lost));
        assert_eq!(ring.rewind(5), Err(AttachError::Ahead));
        ring.rewind(4).unwrap();
        assert_eq!((ring.bytes, ring.items.capacity()), (0, 0));
        assert_eq!(numbers(&mut ring), [0; 0]);
    }

    #[test]
    fn what_no_carrier_has_taken_can_neither_be_seen_nor_confirmed() {
        let mut ring = ring(2);
        assert_eq!(ring.rewind(1), Err(AttachError::Ahead));
        ring.confirm(2);
        assert_eq!(numbers(&mut ring), [1, 2]);
        ring.confirm(u64::MAX);
        assert_eq!(ring.items.len(), 2);
        ring.confirm(1);
        assert_eq!((ring.items.len(), ring.bytes, ring.ahead_bytes), (1, 4, 0));
    }

    #[test]
    fn only_what_was_taken_is_forgotten_for_want_of_room() {
        let options = ResumeOptions::new(&Limits::default()).ring(2, 1024);
        let mut ring = ring(4);
        ring.trim(&options);
        assert_eq!(ring.items.len(), 4);
        ring.take();
        ring.trim(&options);
        assert_eq!((ring.items.len(), ring.first), (3, 2));
        numbers(&mut ring);
        ring.trim(&options);
        assert_eq!((ring.items.len(), ring.first), (2, 3));
        let bytes = ResumeOptions::new(&Limits::default()).ring(10, 4);
        ring.trim(&bytes);
        assert_eq!((ring.items.len(), ring.bytes), (1, 4));
    }

    #[test]
    fn without_a_carrier_all_that_is_kept_counts_and_with_one_what_it_has_to_take() {
        let options = ResumeOptions::new(&Limits::default()).ring(4, 100);
        let mut ring = ring(3);
        assert_eq!(ring.room(true, &options), (1, 88));
        numbers(&mut ring);
        assert_eq!(ring.room(true, &options), (4, 100));
        assert_eq!(ring.room(false, &options), (1, 88));
    }
}
