//! The buffers of a thread: every connection reads into them and writes from them, none owns any while idle.

use std::{cell::Cell, thread::AccessError};

/// Bytes of one read. More only waits for the next one.
const INPUT: usize = 16 * 1024;
/// An output buffer that has grown above this size, in bytes, is not kept.
const KEPT_OUTPUT: usize = 256 * 1024;

/// A buffer to read into and one to write from.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) input: Box<[u8]>,
    /// What this turn has to say. Empty at the start of a turn.
    pub(super) output: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { input: vec![0; INPUT].into_boxed_slice(), output: Vec::new() }
    }
}

thread_local! {
    static SPARE: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Runs one turn with the thread's buffers.
///
/// They are taken out for the time of the turn: a handler that drives another connection from within its own
/// poll gets fresh ones instead of a panic.
pub(super) fn with<R>(turn: impl FnOnce(&mut Scratch) -> R) -> R {
    // A thread that is ending has none any more, and may still send.
    let mut scratch = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = turn(&mut scratch);
    if scratch.output.capacity() > KEPT_OUTPUT {
        scratch.output = Vec::new();
    }
    scratch.output.clear();
    let _: Result<(), AccessError> = SPARE.try_with(|spare| spare.set(Some(scratch)));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffers_are_used_again_and_start_empty() {
        let first = with(|scratch| {
            scratch.output.extend_from_slice(b"left");
            scratch.input.as_ptr()
        });
        with(|scratch| {
            assert_eq!(scratch.input.as_ptr(), first);
            assert!(scratch.output.is_empty());
        });
    }

    #[test]
    fn a_turn_inside_a_turn_gets_its_own_buffers() {
        with(|outer| {
            outer.output.extend_from_slice(b"outer");
            with(|inner| assert!(inner.output.is_empty() && inner.input.as_ptr() != outer.input.as_ptr()));
            assert_eq!(outer.output, b"outer");
        });
    }

    #[test]
    fn a_giant_output_is_given_back() {
        with(|scratch| scratch.output.resize(KEPT_OUTPUT + 1, 0));
        with(|scratch| assert_eq!(scratch.output.capacity(), 0));
    }
}
