//! Payloads inside of other values, for layers that wrap what handlers give back.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::{Payload, RawJson};

/// The JSON as it is; with `serde_json` alone.
impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(self.as_bytes()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// JSON as it is, text as a string, bytes as a list of numbers, nothing as `null`; with `serde_json` alone. Of
/// [`Arguments`](super::Arguments) the JSON is written, without the bytes that belong to it.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Json(json) => json.serialize(serializer),
            Self::Args(args) => args.json().serialize(serializer),
            Self::Text(text) => {
                let text = std::str::from_utf8(text).map_err(S::Error::custom)?;
                serializer.serialize_str(text)
            }
            Self::Binary(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn payloads_are_written_as_what_they_are() {
        let json = Payload::json(&json!({ "a": [1, 2.50] })).unwrap();
        for (payload, written) in [
            (Payload::Empty, "null"),
            (json, r#"{"a":[1,2.5]}"#),
            (Payload::Text(Bytes::from_static(b"a \"b\"")), r#""a \"b\"""#),
            (Payload::Binary(Bytes::from_static(&[1, 255])), "[1,255]"),
        ] {
            assert_eq!(serde_json::to_string(&payload).unwrap(), written);
        }
    }
}
