//! The body that a message makes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

/// `data`, over `params` where both are objects; JSON as the client wrote it. Where the message says that its body is not JSON
/// (`is_json`), text is the body as it is.
pub(crate) fn body(params: Option<&RawValue>, data: Option<&RawValue>, is_json: bool) -> Bytes {
    let Some(data) = data else { return params.map(raw).unwrap_or_default() };
    if !is_json && let Ok(text) = serde_json::from_str::<String>(data.get()) {
        return text.into();
    }
    let merged = params.and_then(|params| merged(params, data));
    merged.unwrap_or_else(|| raw(data))
}

fn raw(value: &RawValue) -> Bytes {
    Bytes::copy_from_slice(value.get().as_bytes())
}

/// `None` where one of them is no object.
fn merged(params: &RawValue, data: &RawValue) -> Option<Bytes> {
    type Object<'a> = BTreeMap<String, &'a RawValue>;
    let mut object: Object<'_> = serde_json::from_str(params.get()).ok()?;
    object.extend(serde_json::from_str::<Object<'_>>(data.get()).ok()?);
    serde_json::to_vec(&object).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(params: Option<&str>, data: Option<&str>, is_json: bool) -> String {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let (params, data) = (params.map(raw), data.map(raw));
        String::from_utf8(body(params.as_deref(), data.as_deref(), is_json).to_vec()).unwrap()
    }

    #[test]
    fn data_goes_over_params_where_both_are_objects() {
        for (params, data, expected) in [
            (None, None, ""),
            (Some(r#"{"p":1}"#), None, r#"{"p":1}"#),
            (None, Some(r#"{"q": 12345678901234567890123}"#), r#"{"q": 12345678901234567890123}"#),
            (Some(r#"{"p":1,"q":2}"#), Some(r#"{"q":1.50,"z":[1]}"#), r#"{"p":1,"q":1.50,"z":[1]}"#),
            (Some(r#"{"p":1}"#), Some("[1,2]"), "[1,2]"),
            (Some("[1]"), Some(r#"{"q":3}"#), r#"{"q":3}"#),
            (Some(r#"{"p":1}"#), Some(r#""st""#), r#""st""#),
        ] {
            assert_eq!(made(params, data, true), expected, "{params:?} {data:?}");
        }
    }

    #[test]
    fn text_is_the_body_where_the_message_says_that_it_is_not_json() {
        assert_eq!(made(None, Some(r#""a=1&b=\u0032""#), false), "a=1&b=2");
        assert_eq!(made(None, Some(r#"{"a":1}"#), false), r#"{"a":1}"#);
    }
}
