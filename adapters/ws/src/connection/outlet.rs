//! Where a session writes: straight into the thread's output buffer, in this door's framing.

use bytes::Bytes;
use narthex_core::{Frame, Outlet};

use super::queue::WriteQueue;
use crate::codec::framing::{self, BINARY, TEXT};

/// Shared frames from this size on, in bytes, are queued as they are instead of being copied.
const SHARED: usize = 8 * 1024;
/// A connection with so many bytes to write has enough: nothing more is read or taken from the session.
pub(super) const FULL: usize = 64 * 1024;

/// The write side of one turn.
#[derive(Debug)]
pub(super) struct FrameOutlet<'a> {
    output: &'a mut Vec<u8>,
    queue: &'a mut WriteQueue,
}

impl<'a> FrameOutlet<'a> {
    pub(super) fn new(output: &'a mut Vec<u8>, queue: &'a mut WriteQueue) -> Self {
        Self { output, queue }
    }

    fn share(&mut self, bytes: &Bytes) {
        // Order: what is in the buffer leaves first.
        self.queue.push_copy(self.output);
        self.output.clear();
        self.queue.push(bytes.clone());
    }
}

impl Outlet for FrameOutlet<'_> {
    fn text(&mut self, payload: &[u8]) {
        framing::write_frame(self.output, TEXT, payload);
    }

    fn binary(&mut self, payload: &[u8]) {
        framing::write_frame(self.output, BINARY, payload);
    }

    fn frame(&mut self, frame: &Frame) {
        let (first, payload) = (if frame.is_text() { TEXT } else { BINARY }, frame.payload());
        if payload.len() < SHARED {
            framing::write_frame(self.output, first, payload);
        } else {
            framing::write_header(self.output, first, payload.len());
            self.share(payload);
        }
    }

    fn framed(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED {
            self.output.extend_from_slice(bytes);
        } else {
            self.share(bytes);
        }
    }

    fn is_full(&self) -> bool {
        self.output.len() + self.queue.len() >= FULL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_frames_are_joined_and_large_shared_ones_keep_their_place() {
        let (mut output, mut queue) = (Vec::new(), WriteQueue::default());
        let mut outlet = FrameOutlet::new(&mut output, &mut queue);
        outlet.text(b"a");
        outlet.framed(&Bytes::from_static(b"\x81\x01b"));
        outlet.frame(&Frame::binary(vec![7; SHARED]));
        outlet.binary(b"c");
        assert_eq!(queue.len(), 3 + 3 + 4 + SHARED);
        assert_eq!(output, b"\x82\x01c");
    }

    #[test]
    fn both_buffer_and_queue_make_it_full() {
        let (mut output, mut queue) = (vec![0; FULL / 2], WriteQueue::default());
        queue.push_copy(&vec![0; FULL / 2 - 1]);
        let mut outlet = FrameOutlet::new(&mut output, &mut queue);
        assert!(!outlet.is_full());
        outlet.text(b"");
        assert!(outlet.is_full());
    }
}
