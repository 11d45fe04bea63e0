//! One rule of origins for all of a server's HTTP.

mod future;
mod layer;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Either;
use tower::Service;

use self::future::Then;
pub use self::{future::OriginFuture, layer::OriginLayer};
use crate::{
    body::HttpBody,
    cors::Cors,
    origins::{OriginRefused, Origins, ServerOrigins},
    table::is_websocket_upgrade,
};

/// The service of [`OriginLayer`].
#[derive(Clone, Debug)]
pub struct OriginService<S> {
    inner: S,
    origins: Arc<Origins>,
    cors: Arc<Cors>,
}

impl<S> OriginService<S> {
    /// Decides on a request with an `Origin`: what is done once it is answered, or why it is refused.
    fn decide<B>(&self, request: &Request<B>) -> Result<Then, OriginRefused> {
        let headers = request.headers();
        if headers.contains_key(header::ORIGIN) {
            // One without is no page's. A door asks what else its own rule asks for.
            self.origins.check(headers)?;
        }
        if is_preflight(request) {
            return Ok(Then::Preflight(self.origins.preflight(headers, &self.cors)));
        }
        Ok(Then::Share(self.origins.sharing(headers, self.cors.exposed.as_ref())))
    }
}

impl<S, A, B> Service<Request<A>> for OriginService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<Either<HttpBody, B>>;
    type Error = S::Error;
    type Future = OriginFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        match self.decide(&request) {
            Ok(then) => {
                request.extensions_mut().insert(ServerOrigins(Arc::clone(&self.origins)));
                OriginFuture::asking(self.inner.call(request), then)
            }
            Err(refused) => {
                let mut response = refused.response();
                if is_websocket_upgrade(request.headers()) {
                    // Who meant to speak another protocol now has nothing more to say.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                OriginFuture::refused(response)
            }
        }
    }
}

/// Whether a page asks what it may send (<https://fetch.spec.whatwg.org/#cors-preflight-request>).
fn is_preflight<B>(request: &Request<B>) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}
