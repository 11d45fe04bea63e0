//! Event names and the bounds that all names obey.

use std::fmt;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};

/// The longest event or room name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 128;

/// Checks a room or event name: 1 to [`MAX_NAME_BYTES`] bytes without control characters.
///
/// # Errors
/// [`ErrorKind::InvalidName`].
pub fn check_name(name: &str) -> Result<()> {
    let fault = match name {
        "" => "a name must not be empty",
        _ if name.len() > MAX_NAME_BYTES => "a name has at most 128 bytes",
        _ if name.chars().any(char::is_control) => "a name must not have control characters",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::InvalidName, fault))
}

/// The name of an event, as it arrived.
///
/// An event that arrived as a JSON object (a structural event) is kept as its JSON text.
#[derive(Clone, PartialEq, Eq)]
pub struct EventName(Bytes);

impl EventName {
    /// A name made by the server's own code.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Bytes::from(name.into()))
    }

    /// A name that never changes.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Bytes::from_static(name.as_bytes()))
    }

    /// Bytes that a decoder has checked to be UTF-8.
    pub(crate) fn trusted(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The name's UTF-8.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether this is a structural event: a JSON object.
    pub fn is_structural(&self) -> bool {
        self.0.first() == Some(&b'{')
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
