//! Answers that are no stream.

use http::{HeaderValue, Response, StatusCode, header};
use narthex_http::{HttpBody, empty, full, text};

/// How long a client that comes at a bad time should wait, in seconds.
const LATER: &str = "1";

/// An answer without a body.
pub(crate) fn bare(status: StatusCode) -> Response<HttpBody> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

/// A small JSON object.
pub(crate) fn json(status: StatusCode, body: String) -> Response<HttpBody> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// There is no such session, or it is somebody else's: nobody learns which.
pub(crate) fn unknown_session() -> Response<HttpBody> {
    text(StatusCode::NOT_FOUND, "Unknown session")
}

/// Too much waits to be handled.
pub(crate) fn too_many() -> Response<HttpBody> {
    later(text(StatusCode::TOO_MANY_REQUESTS, "Overloaded"))
}

/// The server drains.
pub(crate) fn going_away() -> Response<HttpBody> {
    later(text(StatusCode::SERVICE_UNAVAILABLE, "The server is going away"))
}

/// Says when to come again.
pub(crate) fn later(mut response: Response<HttpBody>) -> Response<HttpBody> {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(LATER));
    response
}

/// A refusal of the core.
pub(crate) fn refused(refusal: Response<bytes::Bytes>) -> Response<HttpBody> {
    let response = refusal.map(full);
    let busy = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    if busy && !response.headers().contains_key(header::RETRY_AFTER) { later(response) } else { response }
}
