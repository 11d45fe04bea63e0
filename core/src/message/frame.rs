//! Frames: what an adapter carries, and where frames go.

use bytes::Bytes;

/// One frame of a transport that keeps message boundaries.
///
/// The bytes are shared: cloning a frame copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// Text. The adapter has checked that the bytes are UTF-8.
    Text(Bytes),
    /// Binary.
    Binary(Bytes),
}

impl Frame {
    /// A text frame.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Bytes::from(text.into()))
    }

    /// A binary frame.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// The bytes in it.
    pub fn payload(&self) -> &Bytes {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The text in it; `None` for binary, or where an adapter broke its word about UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Binary(_) => None,
        }
    }
}

/// Text or binary: how an envelope asks to be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A text frame.
    Text,
    /// A binary frame.
    Binary,
}

impl FrameKind {
    /// A frame of this kind with these bytes.
    pub fn frame(self, payload: Bytes) -> Frame {
        match self {
            Self::Text => Frame::Text(payload),
            Self::Binary => Frame::Binary(payload),
        }
    }
}

/// A door's own way to write a frame in advance, so that one buffer serves all members of a room.
pub type Framing = fn(&Frame) -> Bytes;

/// Where a session writes the frames that are ready: the adapter's write buffer.
///
/// Everything written between two turns of the adapter's loop leaves in one write.
pub trait Outlet {
    /// Takes one text frame. The bytes are UTF-8.
    fn text(&mut self, payload: &[u8]);

    /// Takes one binary frame.
    fn binary(&mut self, payload: &[u8]);

    /// Takes one frame that is shared; an adapter that can keep the reference need not copy.
    fn frame(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(bytes) => self.text(bytes),
            Frame::Binary(bytes) => self.binary(bytes),
        }
    }

    /// Takes bytes that the adapter's own [`Framing`] made. Only called on an adapter that gave one.
    fn framed(&mut self, bytes: &Bytes);

    /// Whether the adapter has enough to write for now. Streams wait while this is so; replies do not.
    fn is_full(&self) -> bool {
        false
    }
}
