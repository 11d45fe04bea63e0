//! Answers to requests that do not become a WebSocket.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};

/// Why a request is no handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a GET (405).
    Method,
    /// HTTP before 1.1 (505).
    HttpVersion,
    /// It does not ask for a WebSocket (426 with `Upgrade`).
    NoUpgrade,
    /// Not version 13 (426 with `Sec-WebSocket-Version`, RFC 6455 section 4.4).
    WebSocketVersion,
    /// Malformed (400).
    Bad(&'static str),
}

impl Refusal {
    /// The answer. It ends the connection: nothing of use follows on it.
    pub(crate) fn response(self) -> Response<Bytes> {
        let (status, text, extra): (_, _, Option<(HeaderName, &'static str)>) = match self {
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "a WebSocket opens with GET", Some((header::ALLOW, "GET")))
            }
            Self::HttpVersion => (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is needed", None),
            Self::NoUpgrade => {
                (StatusCode::UPGRADE_REQUIRED, "this is a WebSocket", Some((header::UPGRADE, "websocket")))
            }
            Self::WebSocketVersion => (
                StatusCode::UPGRADE_REQUIRED,
                "WebSocket version 13 is needed",
                Some((header::SEC_WEBSOCKET_VERSION, "13")),
            ),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text, None),
        };
        let mut response = Response::new(Bytes::from_static(text.as_bytes()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Some((name, value)) = extra {
            headers.insert(name, HeaderValue::from_static(value));
        }
        last_answer(response)
    }
}

/// Marks a response as the last on its connection.
pub(crate) fn last_answer<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
