//! The error of operations that the server's own code asks for (binding, emitting, joining).

use std::{borrow::Cow, fmt};

/// A boxed source error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of an operation of the server's own code.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for code to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The gateway or the server is put together wrongly (duplicate event, missing state, no adapter, …).
    Config,
    /// An address could not be bound.
    Bind,
    /// A value could not be written as JSON.
    Encode,
    /// A name is empty, too long or has control characters.
    InvalidName,
    /// The room has a guard, which was not asked.
    Guarded,
    /// A bound was reached (rooms of a client, rooms of the node, pending acks).
    Limit,
    /// The client is gone.
    Disconnected,
    /// The client's outbox was full, and its policy dropped the message.
    Dropped,
    /// No answer came in time.
    Timeout,
    /// The adapter or the envelope of this client cannot do it.
    Unsupported,
    /// The peer answered with an error.
    Refused,
    /// Something under us failed.
    Io,
}

/// An error with its kind, a sentence of context and its source.
#[derive(thiserror::Error)]
#[error("{context}")]
pub struct Error {
    kind: ErrorKind,
    context: Cow<'static, str>,
    source: Option<BoxError>,
}

impl Error {
    /// An error of `kind` with a sentence of context.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// The same with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `fn main() -> Result<()>` prints this; people read it.
        write!(f, "{} ({:?})", self.context, self.kind)?;
        let mut source = self.source.as_deref().map(|e| e as &dyn std::error::Error);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, "input or output failed").with_source(error)
    }
}
