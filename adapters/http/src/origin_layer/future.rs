//! The way of an answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Response, header};
use http_body_util::Either;
use pin_project_lite::pin_project;

use crate::{
    body::HttpBody,
    cors::{Sharing, vary_by_origin},
    origins::OriginRefused,
};

/// What is done with the answer to a request that was let through.
#[derive(Debug)]
pub(super) enum Then {
    /// The page may read it.
    Share(Sharing),
    /// It is a preflight's, and this is said where nobody else does.
    Preflight(Response<HttpBody>),
}

pin_project! {
    /// The future of [`OriginService`](super::OriginService). Cancel safe where that of the service inside is.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OriginFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Refused { response: Option<Response<HttpBody>> },
        Asking { #[pin] inner: F, then: Option<Then> },
    }
}

impl<F> OriginFuture<F> {
    pub(super) fn refused(response: Response<HttpBody>) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }

    pub(super) fn asking(inner: F, then: Then) -> Self {
        Self { state: State::Asking { inner, then: Some(then) } }
    }
}

impl<F, B, E> Future for OriginFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Either<HttpBody, B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response.map(Either::Left))),
                // Polled again after its end.
                None => Poll::Pending,
            },
            StateProjection::Asking { inner, then } => {
                let answer = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(finish(answer, then.take())))
            }
        }
    }
}

fn finish<B>(mut answer: Response<B>, then: Option<Then>) -> Response<Either<HttpBody, B>> {
    let refused = answer.extensions().get::<OriginRefused>().is_some();
    let says = |name| refused || answer.headers().contains_key(name);
    match then {
        Some(Then::Preflight(preflight)) if !says(header::ACCESS_CONTROL_ALLOW_METHODS) => {
            return preflight.map(Either::Left);
        }
        Some(Then::Share(sharing)) if !says(header::ACCESS_CONTROL_ALLOW_ORIGIN) => {
            sharing.apply(answer.headers_mut());
        }
        _ => vary_by_origin(answer.headers_mut()),
    }
    answer.map(Either::Right)
}
