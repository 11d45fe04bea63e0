//! Why a peer is not let in, and how it is told.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use narthex_core::{Denied, Payload};

/// What is wrong with a peer's credentials. The texts are what the peer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("A token is needed")]
    NoToken,
    #[error("A cookie is needed")]
    NoCookie,
    #[error("The credentials are malformed")]
    Malformed,
    #[error("The credentials disagree")]
    Disagreeing,
    #[error("The token is too long")]
    TooLong,
    #[error("The ticket is not valid")]
    Ticket,
    #[error("The token is not valid")]
    Invalid,
    #[error("The token has expired")]
    Expired,
    #[error("The token is not valid yet")]
    Immature,
    #[error("The cookie is not valid")]
    Cookie,
}

impl Fault {
    /// The refusal, of kind `Unauthorized`.
    pub(super) fn denied(self) -> Denied {
        Denied::unauthorized(self.to_string())
    }
}

/// What a 401 asks for (RFC 6750 section 3): without an error where the peer brought no token.
pub(super) fn challenge(brought_one: bool) -> HeaderValue {
    match brought_one {
        true => HeaderValue::from_static("Bearer error=\"invalid_token\""),
        false => HeaderValue::from_static("Bearer"),
    }
}

/// A refusal as an HTTP answer: the status of its kind, and the body that a message would get.
pub(super) fn refusal<B: From<Bytes>>(denied: &Denied) -> Response<B> {
    if let Some(source) = denied.source() {
        tracing::error!(error = %source, "credentials could not be checked");
    }
    let body = match denied.payload() {
        Payload::Json(json) => json.as_bytes().clone(),
        _ => Bytes::new(),
    };
    let mut response = Response::new(B::from(body));
    *response.status_mut() = denied.kind().status();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
