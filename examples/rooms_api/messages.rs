//! What travels: what clients send, and what they are told.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// `participants`: who the client is in a room, with whatever else it tells of itself.
pub(crate) type Participant = Map<String, Value>;

/// `exchanges`: something said in a room. Other members are ignored, an `order` among them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exchange {
    #[serde(default)]
    pub(crate) room_id: Value,
    #[serde(flatten)]
    pub(crate) said: Said,
}

/// What is kept of an exchange. What its client left out is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Said {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<Value>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Value>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Value>,
}

/// A message of a room, as everybody reads it; the first has the order 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    pub(crate) order: u64,
    #[serde(flatten)]
    pub(crate) said: Said,
}

/// `null` is something, and not nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A room's id as its clients write it: a number is its digits.
pub(crate) fn room_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_out_and_null_stays_null() {
        let text = r#"{"roomId":"a","username":"ann","createdAt":null,"order":99,"avatar":"x"}"#;
        let exchange: Exchange = serde_json::from_str(text).unwrap();
        let message = serde_json::to_string(&Message { order: 1, said: exchange.said }).unwrap();
        assert_eq!(message, r#"{"order":1,"username":"ann","createdAt":null}"#);
    }
}
