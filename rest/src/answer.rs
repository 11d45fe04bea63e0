//! From a response to an answer.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use narthex_core::{BoxError, IntoReply, Json, RawJson, Reply};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::headers::written;

/// The answer to a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    headers: Map<String, Value>,
    status_code: u16,
}

impl Answer {
    /// A message that is no request.
    pub(crate) fn bad_request(message: &'static str) -> Self {
        let status = StatusCode::BAD_REQUEST;
        let body = json!({"message": message, "error": "Bad Request", "statusCode": status.as_u16()});
        Self { body: Some(body), headers: Map::new(), status_code: status.as_u16() }
    }

    /// The service has failed, or taken too long.
    pub(crate) fn failed(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::GATEWAY_TIMEOUT => "Gateway Timeout",
            _ => "Internal Server Error",
        };
        let body = Some(json!({ "message": message }));
        Self { body, headers: Map::new(), status_code: status.as_u16() }
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

/// JSON where the response says so, else text; nothing where there is nothing. One that does not say what it is may be looked at
/// (RFC 9110 section 8.3): an object or a list is JSON.
fn value(headers: &HeaderMap, bytes: &Bytes) -> Result<Option<Value>, ()> {
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
    std::str::from_utf8(bytes).map(|text| Some(text.into())).map_err(drop)
}

impl IntoReply for Answer {
    fn into_reply(self) -> Reply {
        // Made of values, so it can be written.
        RawJson::new(&self).map_or_else(Reply::error, |json| Json(json).into_reply())
    }
}
