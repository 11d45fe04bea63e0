//! Walks over a client's frames without looking at payloads, and keeps the bounds that need no payload.

use super::{
    Violation,
    header::{Header, MAX_HEADER, Opcode},
};

/// The bounds of what a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The largest message, in bytes of payload.
    pub(crate) message: usize,
    /// The largest frame, in bytes of payload.
    pub(crate) frame: usize,
    /// The most fragments of one message.
    pub(crate) fragments: u32,
}

/// Where in the stream of frames a connection is.
#[derive(Debug, Default)]
pub(super) struct Walker {
    /// The header of the current frame, as far as it has come.
    head: [u8; MAX_HEADER],
    head_len: u8,
    /// The current frame's payload has begun: the header is whole and has been checked.
    in_payload: bool,
    opcode: Opcode,
    fin: bool,
    /// A fragmented message has begun.
    in_message: bool,
    /// Frames of the current message so far.
    fragments: u32,
    progress: u32,
    /// Bytes of the current frame's payload that are still to come.
    left: u64,
    /// Payload of the current message so far, the current frame's whole payload included.
    message: u64,
}

/// One step: some bytes that all belong to one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How many bytes.
    pub(super) taken: usize,
    /// The length of the whole frame, header included; zero while that is unknown.
    pub(super) frame_len: usize,
    /// The frame that ended with these bytes.
    pub(super) ended: Option<Opcode>,
}

impl Walker {
    /// Takes the bytes of at most one frame from the front of `input`.
    ///
    /// # Errors
    /// [`Violation`], as soon as the frame's header shows it.
    pub(super) fn walk(&mut self, input: &[u8], bounds: &Bounds) -> Result<Step, Violation> {
        let mut taken = 0;
        if !self.in_payload {
            let size = Header::size(input);
            if self.head_len == 0 && size <= input.len() {
                // The common case: the whole header is there, and need not be kept.
                (self.head_len, taken) = (size as u8, size);
                self.begin(Header::read(&input[..size])?, bounds)?;
            } else {
                taken = self.gather(input);
                let head = &self.head[..usize::from(self.head_len)];
                if head.len() < Header::size(head) {
                    return Ok(Step { taken, frame_len: 0, ended: None });
                }
                let header = Header::read(head)?;
                self.begin(header, bounds)?;
            }
        }
        // The frame was checked against a bound that is a usize, so this keeps its value.
        let left = self.left as usize;
        let frame_len = usize::from(self.head_len) + left;
        let part = left.min(input.len() - taken);
        self.left -= part as u64;
        let ended = (self.left == 0).then(|| self.end());
        Ok(Step { taken: taken + part, frame_len, ended })
    }

    /// Copies bytes of the header and says how many.
    fn gather(&mut self, input: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            let have = usize::from(self.head_len);
            let missing = Header::size(&self.head[..have]) - have;
            let count = missing.min(input.len() - taken);
            if count == 0 {
                return taken;
            }
            self.head[have..have + count].copy_from_slice(&input[taken..taken + count]);
            self.head_len += count as u8;
            taken += count;
        }
    }

    /// Checks a frame against its predecessors (RFC 6455 section 5.4) and the bounds.
    fn begin(&mut self, header: Header, bounds: &Bounds) -> Result<(), Violation> {
        if !header.opcode.is_control() {
            match (header.opcode, self.in_message) {
                (Opcode::Continuation, false) => return Err(Violation::Protocol("nothing to continue")),
                (Opcode::Continuation, true) => self.fragments += 1,
                (_, true) => return Err(Violation::Protocol("expected a continuation")),
                (_, false) => (self.fragments, self.message) = (1, 0),
            }
            self.message = self.message.saturating_add(header.payload);
            if header.payload > bounds.frame as u64 || self.message > bounds.message as u64 {
                return Err(Violation::TooLarge);
            }
            if self.fragments > bounds.fragments {
                return Err(Violation::Policy("too many fragments"));
            }
            self.in_message = true;
        }
        self.opcode = header.opcode;
        self.fin = header.fin;
        self.left = header.payload;
        self.in_payload = true;
        Ok(())
    }

    fn end(&mut self) -> Opcode {
        self.in_payload = false;
        self.head_len = 0;
        if self.opcode.is_control() {
            if !self.in_message {
                self.progress = self.progress.wrapping_add(1);
            }
        } else if self.fin {
            self.in_message = false;
            self.progress = self.progress.wrapping_add(1);
        }
        self.opcode
    }

    pub(super) fn is_unfinished(&self) -> bool {
        self.in_message || self.in_payload || self.head_len > 0
    }

    pub(super) fn progress(&self) -> u32 {
        self.progress
    }
}
