//! What the peer sent and the session has not taken.

use std::collections::VecDeque;

use super::{ReceiveError, ResumeOptions};
use crate::message::Frame;

/// A bounded queue of frames, the numbers of which follow each other from 1.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    queue: VecDeque<Frame>,
    bytes: usize,
    /// The number of the last frame that was taken in.
    last: u64,
}

impl Inbound {
    /// Takes what is new of a batch, or nothing of it.
    pub(super) fn receive(
        &mut self,
        first: u64,
        frames: Vec<Frame>,
        options: &ResumeOptions,
    ) -> Result<u64, ReceiveError> {
        let expect = self.last + 1;
        if first > expect {
            return Err(ReceiveError::Gap { expect });
        }
        let known = usize::try_from(expect - first).unwrap_or(usize::MAX);
        if known >= frames.len() {
            return Ok(self.last);
        }
        if self.is_full(options) {
            return Err(ReceiveError::Full);
        }
        for frame in frames.into_iter().skip(known) {
            self.bytes += frame.payload().len();
            self.last += 1;
            self.queue.push_back(frame);
        }
        Ok(self.last)
    }

    pub(super) fn is_full(&self, options: &ResumeOptions) -> bool {
        self.queue.len() >= options.inbound_messages || self.bytes >= options.inbound_bytes
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.payload().len();
        if self.queue.is_empty() {
            // What a burst took is given back.
            self.queue = VecDeque::new();
        }
        Some(frame)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Forgets what nobody will take any more.
    pub(super) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn frames(texts: &[&str]) -> Vec<Frame> {
        texts.iter().map(|text| Frame::text(*text)).collect()
    }

    fn texts(inbound: &mut Inbound) -> Vec<String> {
        std::iter::from_fn(|| inbound.pop()).map(|f| f.as_text().unwrap().to_owned()).collect()
    }

    #[test]
    fn duplicates_are_dropped_and_a_gap_is_refused_whole() {
        let (mut inbound, options) = (Inbound::default(), ResumeOptions::new(&Limits::default()));
        let mut receive = |first, texts: &[&str]| inbound.receive(first, frames(texts), &options);
        assert_eq!(receive(1, &["a", "b"]), Ok(2));
        assert_eq!(receive(1, &["a", "b"]), Ok(2));
        assert_eq!(receive(2, &["b", "c"]), Ok(3));
        assert_eq!(receive(5, &["e"]), Err(ReceiveError::Gap { expect: 4 }));
        assert_eq!(receive(u64::MAX, &["z"]), Err(ReceiveError::Gap { expect: 4 }));
        assert_eq!(receive(4, &[]), Ok(3));
        assert_eq!(texts(&mut inbound), ["a", "b", "c"]);
        assert_eq!((inbound.bytes, inbound.queue.capacity()), (0, 0));
    }

    #[test]
    fn a_full_queue_takes_nothing_of_a_batch_and_still_knows_duplicates() {
        let options = ResumeOptions::new(&Limits::default()).inbound(2, 1024);
        let mut inbound = Inbound::default();
        assert_eq!(inbound.receive(1, frames(&["a"]), &options), Ok(1));
        // One batch may go beyond the bound.
        assert_eq!(inbound.receive(2, frames(&["b", "c"]), &options), Ok(3));
        assert_eq!(inbound.receive(4, frames(&["d"]), &options), Err(ReceiveError::Full));
        assert_eq!(inbound.receive(3, frames(&["c"]), &options), Ok(3));
        inbound.pop();
        inbound.pop();
        assert_eq!(inbound.receive(4, frames(&["d"]), &options), Ok(4));
        assert_eq!(texts(&mut inbound), ["c", "d"]);
    }

    #[test]
    fn bytes_fill_it_too() {
        let options = ResumeOptions::new(&Limits::default()).inbound(10, 4);
        let mut inbound = Inbound::default();
        assert_eq!(inbound.receive(1, frames(&["1234"]), &options), Ok(1));
        assert_eq!(inbound.receive(2, frames(&["5"]), &options), Err(ReceiveError::Full));
    }
}
