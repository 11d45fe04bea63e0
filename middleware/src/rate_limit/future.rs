use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use narthex_core::{Denied, DeniedKind, Payload, Reply};
use pin_project_lite::pin_project;
use serde::Serialize;

pin_project! {
    /// The future of [`RateLimit`](super::RateLimit).
    #[derive(Debug)]
    pub struct RateLimitFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Called { #[pin] future: F },
        Refused { wait: Duration },
    }
}

impl<F> RateLimitFuture<F> {
    pub(super) fn called(future: F) -> Self {
        Self { state: State::Called { future } }
    }

    pub(super) fn refused(wait: Duration) -> Self {
        Self { state: State::Refused { wait } }
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for RateLimitFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Called { future } => future.poll(cx),
            StateProjection::Refused { wait } => {
                Poll::Ready(Ok(Reply::error(denied("Too many messages", *wait))))
            }
        }
    }
}

/// What a client that comes too often reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TooMany {
    status: &'static str,
    message: &'static str,
    /// In seconds.
    retry_after: u64,
}

fn denied(message: &'static str, wait: Duration) -> Denied {
    let body = TooMany { status: "error", message, retry_after: seconds(wait) };
    Denied::json(DeniedKind::TooManyRequests, &body)
}

/// 429 with `Retry-After` (RFC 6585 section 4).
pub(super) fn refusal<B: From<Bytes>>(wait: Duration) -> Response<B> {
    let body = match denied("Too many connects", wait).payload() {
        Payload::Json(json) => json.as_bytes().clone(),
        _ => Bytes::new(),
    };
    let mut response = Response::new(B::from(body));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// Whole seconds, and at least one.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
