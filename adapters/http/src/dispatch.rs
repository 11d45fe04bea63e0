//! From a request to the one who answers it.

use std::{convert::Infallible, sync::Arc};

use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::BodyExt;
use tower::service_fn;

use crate::{
    body::{HttpBody, text},
    bounded::{BodyError, Bounded},
    config::HttpConfig,
    mount::Mount,
    service::{self, HttpService},
    table::{Found, Table},
};

/// The mounts, and behind them the user's own service.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) table: Arc<Table>,
    pub(crate) user: Option<HttpService>,
    pub(crate) config: Arc<HttpConfig>,
}

impl Dispatch {
    pub(crate) fn into_service(self) -> HttpService {
        service::erase(service_fn(move |request| {
            let dispatch = self.clone();
            async move { Ok::<_, Infallible>(dispatch.answer(request).await) }
        }))
    }

    async fn answer(self, request: Request<HttpBody>) -> Response<HttpBody> {
        if !names_its_host(&request) {
            return text(StatusCode::BAD_REQUEST, "One Host header is required");
        }
        let Self { table, user, config } = self;
        let (head, body) = request.into_parts();
        let found = table.find(&head);
        let request = Request::from_parts(head, body);
        match found {
            Found::Mount(mount) => answer_mount(mount, request, &config).await,
            found => match user {
                Some(user) => service::call(user, request).await,
                None if matches!(found, Found::OnlyUpgrades) => upgrade_required(),
                None => text(StatusCode::NOT_FOUND, "Not found"),
            },
        }
    }
}

async fn answer_mount(mount: &Mount, request: Request<HttpBody>, config: &HttpConfig) -> Response<HttpBody> {
    let size = mount.own_body_size().unwrap_or(config.body_size);
    if request.body().size_hint().lower() > size as u64 {
        return BodyError::TooLarge.response();
    }
    let bound = |body: HttpBody| match body.is_end_stream() {
        true => body,
        false => Bounded::whole(body, config.body_timeout, size).boxed_unsync(),
    };
    let request = request.map(bound);
    service::settle(async { Ok::<_, Infallible>(mount.call(request).await) }).await
}

/// RFC 9112 section 3.2: a request of HTTP/1.1 has exactly one `Host`, one of HTTP/1.0 at most one. Another server may
/// speak HTTP/2, where the URI has it (RFC 9113 section 8.3.1).
fn names_its_host(request: &Request<HttpBody>) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() != Version::HTTP_11)
}

/// RFC 9110 section 15.5.22 and RFC 6455 section 4.2.2.
fn upgrade_required() -> Response<HttpBody> {
    let mut response = text(StatusCode::UPGRADE_REQUIRED, "This path speaks WebSocket");
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}
