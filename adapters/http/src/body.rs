//! The body type of requests and responses on the shared listener.

use std::io;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use narthex_core::BoxError;

/// A body of bytes, whatever it is made of.
pub type HttpBody = UnsyncBoxBody<Bytes, io::Error>;

/// Any body as an [`HttpBody`].
pub fn boxed<B>(body: B) -> HttpBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(io::Error::other).boxed_unsync()
}

/// A body with nothing in it.
pub fn empty() -> HttpBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is at hand.
pub fn full(bytes: impl Into<Bytes>) -> HttpBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A response of one line of text.
pub fn text(status: StatusCode, line: &'static str) -> Response<HttpBody> {
    let mut response = Response::new(full(Bytes::from_static(line.as_bytes())));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
