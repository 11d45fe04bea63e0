//! The versions of Engine.IO's protocol that a session may speak, from its first request to its end.

/// A version of Engine.IO's protocol.
///
/// | | 3 | 4 |
/// | --- | --- | --- |
/// | clients | socket.io 1 and 2 | socket.io 3 and later |
/// | who pings | the peer | the server |
/// | packets in the body of a poll | each after its length | parted by one byte |
/// | the root namespace | entered by itself, without an id | asked for, answered with an id |
/// | a refused CONNECT | its message | an object with the message |
/// | bytes on polling | `b4` and Base64, or as they are | `b` and Base64 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    V3,
    V4,
}

impl Protocol {
    /// As the query's `EIO` names it.
    pub(crate) fn read(version: &str) -> Option<Self> {
        match version {
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }

    /// As the query's `EIO` names it.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::V3 => "3",
            Self::V4 => "4",
        }
    }

    /// The body of a POST that closes the session.
    pub(crate) fn close(self) -> &'static str {
        match self {
            Self::V3 => "1:1",
            Self::V4 => "1",
        }
    }

    /// The body of a poll that was answered with nothing.
    pub(crate) fn nothing(self) -> &'static [u8] {
        match self {
            Self::V3 => b"1:6",
            Self::V4 => b"6",
        }
    }

    /// Whether the engine pings, and at once. The peer expects its first ping after the interval.
    pub(crate) fn has_early_ping(self) -> bool {
        self == Self::V4
    }

    /// Whether the peer is not to read a packet as the engine writes it: one with an id, with a refusal, or with bytes as Base64.
    /// (The open packet is known by its place.)
    pub(crate) fn rewrites(self, packet: &[u8]) -> bool {
        match self {
            Self::V3 => packet.starts_with(b"44") || packet.starts_with(b"b"),
            Self::V4 => packet.starts_with(b"40"),
        }
    }
}
