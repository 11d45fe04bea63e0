//! Refusals in the form of the engine's own errors.

use http::{HeaderValue, Response, StatusCode, header};
use narthex_http::{HttpBody, full};

fn refusal(status: StatusCode, body: &'static str) -> Response<HttpBody> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn unknown_transport() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":0,"message":"Transport unknown"}"#)
}

pub(super) fn unknown_session() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":1,"message":"Session ID unknown"}"#)
}

pub(super) fn bad_request() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":3,"message":"Bad request"}"#)
}

pub(super) fn unsupported_version() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":5,"message":"Unsupported protocol version"}"#)
}

pub(super) fn going_away() -> Response<HttpBody> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, r#"{"code":4,"message":"The server is going away"}"#)
}

pub(super) fn unavailable() -> Response<HttpBody> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, r#"{"code":4,"message":"Unavailable"}"#)
}

pub(super) fn too_many() -> Response<HttpBody> {
    refusal(StatusCode::TOO_MANY_REQUESTS, r#"{"code":4,"message":"Overloaded"}"#)
}
