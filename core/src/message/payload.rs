//! Payloads: raw JSON or bytes, shared, parsed once by the extractor.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

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

    /// The part of `frame` that a parser has borrowed `raw` from: nothing is copied.
    ///
    /// # Panics
    /// When `raw` was borrowed from elsewhere.
    pub fn borrowed(frame: &Bytes, raw: &RawValue) -> Self {
        Self(frame.slice_ref(raw.get().as_bytes()))
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

/// The arguments of an event or of an answer, where a door carries other than one: a JSON array, and the bytes that
/// belong to it.
///
/// Socket.IO's events have any number of arguments. Where there is exactly one, the payload is that one; several
/// read as one JSON array, which is what the other doors carry. Bytes among them stand as Socket.IO's placeholders
/// (`{"_placeholder":true,"num":0}`) in the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    json: RawJson,
    attachments: Arc<[Bytes]>,
}

impl Arguments {
    /// The arguments that the JSON array holds, and the bytes that its placeholders number.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when the JSON is no array.
    pub fn new(json: RawJson, attachments: impl Into<Arc<[Bytes]>>) -> Result<Self> {
        if json.0.trim_ascii_start().first() != Some(&b'[') {
            return Err(Error::new(ErrorKind::Encode, "arguments are written as a JSON array"));
        }
        Ok(Self { json, attachments: attachments.into() })
    }

    /// The JSON array.
    pub fn json(&self) -> &RawJson {
        &self.json
    }

    /// The bytes that the placeholders number.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
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
    /// Several arguments, or one with bytes inside.
    Args(Arguments),
}

impl Payload {
    /// Writes `value` as a JSON payload.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when `value` cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        RawJson::new(value).map(Self::Json)
    }

    /// Writes a tuple or a list as the arguments of an event: Socket.IO carries them one by one, the other doors as
    /// one JSON array.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when `args` cannot be written as a JSON array.
    pub fn args<T: Serialize + ?Sized>(args: &T) -> Result<Self> {
        Arguments::new(RawJson::new(args)?, []).map(Self::Args)
    }

    /// Whether it holds bytes, which not every envelope carries.
    pub(crate) fn has_bytes(&self) -> bool {
        match self {
            Self::Binary(_) => true,
            Self::Args(args) => !args.attachments.is_empty(),
            _ => false,
        }
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Args(args) => args.json.0.len() + args.attachments.iter().map(Bytes::len).sum::<usize>(),
            Self::Empty => 0,
            Self::Json(json) => json.0.len(),
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it holds no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text that [`parse`](Self::parse) reads: `null` where the payload is absent, `None` where it is binary.
    pub fn json_text(&self) -> Option<&[u8]> {
        match self {
            Self::Empty => Some(b"null"),
            Self::Json(json) => Some(&json.0),
            Self::Args(args) => Some(&args.json.0),
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Reads a JSON payload; an absent one reads as `null`.
    ///
    /// # Errors
    /// The parser's; a binary payload is an error too.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let text = self.json_text();
        text.map_or_else(
            || Err(serde::de::Error::custom("expected JSON, found binary")),
            serde_json::from_slice,
        )
    }
}
