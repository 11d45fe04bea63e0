//! Why a client left.

use std::borrow::Cow;

/// Why a client left, or why it is made to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The connection ended without a word.
    ClientGone,
    /// The client said goodbye.
    ClientClosed {
        /// Its close code, 1005 where it gave none.
        code: u16,
        /// Its reason.
        text: String,
    },
    /// The server asked for it.
    Disconnected {
        /// The close code.
        code: u16,
        /// The reason that the client reads.
        text: Cow<'static, str>,
    },
    /// Its outbox was full (1013).
    Overflow,
    /// The server is shutting down (1001).
    Draining,
    /// It broke the protocol (1002, 1003, 1007).
    Protocol {
        /// The close code.
        code: u16,
        /// What was wrong.
        text: Cow<'static, str>,
    },
    /// A message or a frame was larger than allowed (1009).
    TooLarge,
    /// It did not answer a ping, or was idle for too long.
    IdleTimeout,
    /// It took no bytes for too long.
    WriteTimeout,
    /// The adapter failed (1011).
    Failed(String),
}

impl CloseReason {
    /// The server asked for it, with a close code and a reason that the client reads.
    pub fn disconnected(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Disconnected { code, text: text.into() }
    }

    /// The close code (RFC 6455 section 7.4). 1005 and 1006 never go on a wire.
    pub fn code(&self) -> u16 {
        match self {
            Self::ClientGone | Self::IdleTimeout | Self::WriteTimeout => 1006,
            Self::ClientClosed { code, .. }
            | Self::Disconnected { code, .. }
            | Self::Protocol { code, .. } => *code,
            Self::Overflow => 1013,
            Self::Draining => 1001,
            Self::TooLarge => 1009,
            Self::Failed(_) => 1011,
        }
    }

    /// Its name in `snake_case`, for logs and the labels of metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientGone => "client_gone",
            Self::ClientClosed { .. } => "client_closed",
            Self::Disconnected { .. } => "disconnected",
            Self::Overflow => "overflow",
            Self::Draining => "draining",
            Self::Protocol { .. } => "protocol",
            Self::TooLarge => "too_large",
            Self::IdleTimeout => "idle_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::Failed(_) => "failed",
        }
    }

    /// The reason, as it may be shown to the peer.
    pub fn text(&self) -> &str {
        match self {
            Self::ClientGone => "",
            Self::ClientClosed { text, .. } => text,
            Self::Disconnected { text, .. } | Self::Protocol { text, .. } => text,
            Self::Overflow => "too slow",
            Self::Draining => "going away",
            Self::TooLarge => "message too big",
            Self::IdleTimeout => "ping timeout",
            Self::WriteTimeout => "write timeout",
            Self::Failed(_) => "internal error",
        }
    }
}
