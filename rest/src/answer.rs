//! From a response to an answer.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use narthex_core::{BoxError, IntoReply, Payload, Reply};
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{headers::written, request::Refusal};

/// The answer to a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    headers: Map<String, Value>,
    status_code: u16,
}

impl Answer {
    /// A message that is no request, and why.
    pub(crate) fn refused((status, message): Refusal) -> Self {
        let error = status.canonical_reason().unwrap_or_default();
        Self::told(status, &json!({"message": message, "error": error, "statusCode": status.as_u16()}))
    }

    /// The service has failed, or taken too long.
    pub(crate) fn failed(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::GATEWAY_TIMEOUT => "Gateway Timeout",
            _ => "Internal Server Error",
        };
        Self::told(status, &json!({ "message": message }))
    }

    fn told(status: StatusCode, body: &Value) -> Self {
        Self { body: to_raw_value(body).ok(), headers: Map::new(), status_code: status.as_u16() }
    }

    /// The service has failed, unexpectedly.
    pub(crate) fn of_error(error: &BoxError) -> Self {
        tracing::error!(error = %error, "a service has failed");
        Self::failed(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the service has answered; its body up to `most` bytes.
    pub(crate) async fn of<B>(response: Response<B>, most: usize) -> Self
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (head, body) = response.into_parts();
        let bytes = match Limited::new(body, most).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                tracing::error!(error = %error, "a response has no end that fits");
                return Self::failed(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        match value(&head.headers, &bytes) {
            Ok(body) => Self { body, headers: written(&head.headers), status_code: head.status.as_u16() },
            Err(()) => {
                tracing::error!("a response is neither JSON nor text, which a message cannot carry");
                Self::failed(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// JSON as it is where the response says so, else text; nothing where there is nothing. One that does not say what it is may be looked at
/// (RFC 9110 section 8.3): an object or a list is JSON.
fn value(headers: &HeaderMap, bytes: &Bytes) -> Result<Option<Box<RawValue>>, ()> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.ends_with("/json") || kind.ends_with("+json") {
        return serde_json::from_slice(bytes).map(Some).map_err(drop);
    }
    if kind.is_empty()
        && matches!(bytes.first(), Some(b'{' | b'['))
        && let Ok(json) = serde_json::from_slice(bytes)
    {
        return Ok(Some(json));
    }
    let text = std::str::from_utf8(bytes).map_err(drop)?;
    to_raw_value(text).map(Some).map_err(drop)
}

impl IntoReply for Answer {
    fn into_reply(self) -> Reply {
        Payload::json(&self).map_or_else(Reply::error, Reply::value)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn written(kind: Option<&'static str>, body: &'static str) -> Option<String> {
        let kind = kind.map(|kind| (header::CONTENT_TYPE, HeaderValue::from_static(kind)));
        let found = value(&kind.into_iter().collect(), &Bytes::from_static(body.as_bytes())).unwrap();
        found.map(|value| value.get().to_owned())
    }

    #[test]
    fn json_is_not_touched_and_all_else_is_text() {
        let json = Some("application/json; charset=utf-8");
        for (kind, body, expected) in [
            (json, "12345678901234567890123", "12345678901234567890123"),
            (json, r#"{"b":1.50,"a":null}"#, r#"{"b":1.50,"a":null}"#),
            (json, "null", "null"),
            (Some("application/problem+json"), "0", "0"),
            (Some("text/plain"), "[1]", r#""[1]""#),
            (None, "[1]", "[1]"),
            (None, "[1", r#""[1""#),
            (None, "12", r#""12""#),
        ] {
            assert_eq!(written(kind, body).as_deref(), Some(expected), "{kind:?} {body}");
        }
        assert_eq!(written(json, ""), None);
    }
}
