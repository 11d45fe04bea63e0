//! What callgrind counts.

/// The name that callgrind is told: whatever runs below [`counted`] on its thread is counted, and nothing else.
pub(crate) const TOGGLE: &str = "*section*counted*";

/// Runs `work` and has it counted. By reference and never inlined, so that the function is there to be toggled by.
#[inline(never)]
pub(crate) fn counted(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from being the last act of the function, which could be compiled to a jump.
    std::hint::black_box(());
}
