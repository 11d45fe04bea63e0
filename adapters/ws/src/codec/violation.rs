//! What a peer did wrong, and the close code that tells it so.

use std::borrow::Cow;

use narthex_core::CloseReason;

/// Why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Against RFC 6455 (1002).
    Protocol(&'static str),
    /// Text that is not UTF-8 (1007).
    Utf8,
    /// Against a rule of this server (1008).
    Policy(&'static str),
    /// A frame or a message larger than allowed (1009).
    TooLarge,
}

impl From<Violation> for CloseReason {
    fn from(violation: Violation) -> Self {
        let (code, text) = match violation {
            Violation::TooLarge => return Self::TooLarge,
            Violation::Protocol(text) => (1002, text),
            Violation::Utf8 => (1007, "text is not UTF-8"),
            Violation::Policy(text) => (1008, text),
        };
        Self::Protocol { code, text: Cow::Borrowed(text) }
    }
}
