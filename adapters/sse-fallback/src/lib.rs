//! The SSE adapter of Narthex: a stream down, POST up, one session.

/// The adapter.
#[derive(Clone, Debug, Default)]
pub struct Sse;
