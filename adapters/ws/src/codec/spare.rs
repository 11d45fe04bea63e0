//! One protocol context a thread, lent to whichever connection has bytes to read.
//!
//! Between two messages a context remembers nothing, so an idle connection needs none. This is what makes an
//! idle client small and keeps the buffer of a busy thread warm.

use std::cell::Cell;

use super::{context::Context, walker::Bounds};

thread_local! {
    static SPARE: Cell<Option<Box<Context>>> = const { Cell::new(None) };
}

/// A context at its start, for a message whose first frame has `frame_len` bytes (zero: not known yet).
pub(super) fn take(frame_len: usize, bounds: &Bounds) -> Box<Context> {
    if Context::is_large(frame_len) {
        return Box::new(Context::new(frame_len, bounds));
    }
    match SPARE.take() {
        Some(mut context) => {
            context.set_bounds(bounds);
            context
        }
        None => Box::new(Context::new(frame_len, bounds)),
    }
}

/// Gives a context back at the end of a message. One that a large message made grow is dropped.
pub(super) fn put(context: Box<Context>) {
    if !context.is_grown() {
        SPARE.set(Some(context));
    }
}
