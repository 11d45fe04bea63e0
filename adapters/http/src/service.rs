//! Services without a type parameter, which neither fail nor panic.

use std::{any::Any, convert::Infallible, panic::AssertUnwindSafe};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body::Body;
use narthex_core::BoxError;
use tower::{Service, ServiceExt, service_fn, util::BoxCloneService};

use crate::body::{HttpBody, boxed, text};

/// The service that server-level layers wrap.
pub type HttpService = BoxCloneService<Request<HttpBody>, Response<HttpBody>, Infallible>;

/// Any HTTP service as an [`HttpService`]: its errors and panics are logged and answered 500.
pub(crate) fn erase<S, B>(service: S) -> HttpService
where
    S: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    BoxCloneService::new(service_fn(move |request| {
        // A clone of its own for each request, whose readiness is awaited in the request's future.
        let called = service.clone().oneshot(request);
        async move { Ok(settle(called).await) }
    }))
}

/// Calls a service that does not fail.
pub(crate) async fn call(service: HttpService, request: Request<HttpBody>) -> Response<HttpBody> {
    match service.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The answer of `call`, or a 500 that tells the peer nothing.
pub(crate) async fn settle<B, E>(call: impl Future<Output = Result<Response<B>, E>>) -> Response<HttpBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    E: Into<BoxError>,
{
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(Ok(response)) => response.map(boxed),
        Ok(Err(error)) => {
            let error: BoxError = error.into();
            tracing::error!(error = &*error as &dyn std::error::Error, "an HTTP service failed");
            internal()
        }
        Err(panic) => {
            tracing::error!(panic = panic_text(&*panic), "an HTTP service panicked");
            internal()
        }
    }
}

/// The text of a panic, for the log.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

fn internal() -> Response<HttpBody> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{body::empty, bounded::collect};

    async fn answer(service: HttpService) -> (StatusCode, Bytes) {
        let response = call(service, Request::new(empty())).await;
        (response.status(), collect(response.into_body()).await.unwrap())
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_are_500_without_their_text() {
        let failing = erase(service_fn(|_| async { Err::<Response<HttpBody>, _>("secret") }));
        let expected = (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from("Internal server error"));
        assert_eq!(answer(failing).await, expected);
        let panicking =
            erase(service_fn(async |_| -> Result<Response<HttpBody>, Infallible> { panic!("secret") }));
        assert_eq!(answer(panicking).await, expected);
    }
}
