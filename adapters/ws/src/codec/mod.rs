//! The WebSocket protocol as a state machine: bytes in, messages and answers out, no socket and no clock.
//!
//! [`header`] and [`Walker`] read the frame headers and keep the bounds, [`unmask`] reads messages that one read
//! brought in one frame, [`Context`] is the protocol library, fed frame by frame from memory, for everything else, and
//! [`framing`] writes the server's own frames.

mod context;
pub(crate) mod framing;
mod header;
mod spare;
#[cfg(test)]
mod tests;
mod unmask;
mod violation;
mod walker;

use self::{
    context::Context,
    header::Opcode,
    walker::{Step, Walker},
};
pub(crate) use self::{
    context::{Received, accept_key},
    violation::Violation,
    walker::Bounds,
};

/// The protocol state of one connection.
///
/// Between two messages it holds no buffer: the library's context belongs to the thread then, and moves
/// into the connection only while a message is unfinished.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    walker: Walker,
    context: Option<Box<Context>>,
}

impl Codec {
    /// Takes bytes off `input` until something is received or `input` is empty. What the protocol answers by
    /// itself (pongs, the echo of a close frame) is appended to `out`.
    ///
    /// # Errors
    /// [`Violation`]: the connection has failed (RFC 6455 section 7.1.7), and nothing more may be decoded.
    pub(crate) fn decode(
        &mut self,
        input: &mut &[u8],
        out: &mut Vec<u8>,
        bounds: &Bounds,
    ) -> Result<Option<Received>, Violation> {
        while !input.is_empty() {
            let step = self.walker.walk(input, bounds)?;
            let (chunk, rest) = input.split_at(step.taken);
            *input = rest;
            if let Some(received) = self.feed(chunk, step, out, bounds)? {
                return Ok(Some(received));
            }
        }
        Ok(None)
    }

    fn feed(
        &mut self,
        chunk: &[u8],
        step: Step,
        out: &mut Vec<u8>,
        bounds: &Bounds,
    ) -> Result<Option<Received>, Violation> {
        if self.context.is_none() && !self.walker.is_unfinished() && step.taken == step.frame_len {
            match step.ended {
                Some(Opcode::Text) => return unmask::text(chunk).map(Some),
                Some(Opcode::Binary) => return Ok(Some(unmask::binary(chunk))),
                _ => {}
            }
        }
        let mut context = self.context.take().unwrap_or_else(|| spare::take(step.frame_len, bounds));
        context.grew(step.frame_len);
        let received = context.feed(chunk, out)?;
        if matches!(received, Some(Received::Close { .. })) {
            return Ok(received);
        }
        if self.walker.is_unfinished() {
            self.context = Some(context);
        } else {
            spare::put(context);
        }
        Ok(received)
    }

    /// Whether a frame or a fragmented message has begun and not ended.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.walker.is_unfinished()
    }

    /// How many messages and control frames have ended so far, wrapping. A change says that whatever is
    /// unfinished now began after the last look.
    pub(crate) fn progress(&self) -> u32 {
        self.walker.progress()
    }

    /// Reads on after the server's own close frame: everything is skipped until the peer's close frame has
    /// come (RFC 6455 section 5.5.1). Says whether it has.
    ///
    /// # Errors
    /// [`Violation`]: what follows cannot be read as frames.
    pub(crate) fn skip_to_close(&mut self, mut input: &[u8], bounds: &Bounds) -> Result<bool, Violation> {
        self.context = None;
        while !input.is_empty() {
            let step = self.walker.walk(input, bounds)?;
            if step.ended == Some(Opcode::Close) {
                return Ok(true);
            }
            input = &input[step.taken..];
        }
        Ok(false)
    }
}
