//! Payloads: raw JSON or bytes, shared, parsed once by the extractor.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, ErrorKind, Result};

/// One JSON text, checked when it was made and shared from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(Bytes);

impl RawJson {
    /// Writes `value` as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when `value` cannot be written as JSON.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        serde_json::to_vec(value)
            .map(|bytes| Self(bytes.into()))
            .map_err(|e| Error::new(ErrorKind::Encode, "the value cannot be written as JSON").with_source(e))
    }

    /// The JSON `null`.
    pub fn null() -> Self {
        Self(Bytes::from_static(b"null"))
    }

    /// Wraps bytes that a JSON parser has accepted.
    pub(crate) fn trusted(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The JSON text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Reads the value.
    ///
    /// # Errors
    /// The parser's, with the path of what did not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.0)
    }
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Payload {
    /// Nothing: `data` was absent.
    #[default]
    Empty,
    /// JSON.
    Json(RawJson),
    /// Text that is no JSON (the [`Raw`](super::Raw) envelope). The bytes are UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
}

impl Payload {
    /// Writes `value` as a JSON payload.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when `value` cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        RawJson::new(value).map(Self::Json)
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Json(json) => json.0.len(),
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it holds no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a JSON payload; an absent one reads as `null`.
    ///
    /// # Errors
    /// The parser's; a binary payload is an error too.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        match self {
            Self::Empty => serde_json::from_slice(b"null"),
            Self::Json(json) => json.parse(),
            Self::Text(text) => serde_json::from_slice(text),
            Self::Binary(_) => Err(serde::de::Error::custom("expected JSON, found binary")),
        }
    }
}
