//! Rate limits: how many messages and connects, of whom.
//!
//! A rate is a bucket of tokens ([`Rate`]): so many at once, and so many a second after that. [`RateLimitLayer`] has buckets for each
//! connection, each principal, each address, and for single events. The same value limits messages and connects:
//!
//! ```
//! use narthex_core::{Gateway, Server};
//! use narthex_middleware::rate_limit::{Rate, RateLimitLayer};
//!
//! let rate = RateLimitLayer::new().event("send-message", Rate::per_second(2).burst(10));
//! let server = Server::new(Gateway::new()).handshake_layer(rate.clone()).message_layer(rate);
//! ```
//!
//! # By which address a client is counted
//!
//! By its peer's, unless the peer is one of the [`TrustedProxies`]: then by what they say. It is there for others as
//! [`ClientAddr`].

mod address;
mod bucket;
mod buckets;
mod connection;
mod forwarded;
mod future;
mod layer;
mod proxies;
mod rate;

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::Either;
use http::{Request, Response};
use narthex_core::{Event, Reply};
use tower::Service;

pub use self::{
    address::ClientAddr, future::RateLimitFuture, layer::RateLimitLayer, proxies::TrustedProxies, rate::Rate,
};
use self::{future::refusal, layer::Settings};

/// The service of [`RateLimitLayer`].
#[derive(Clone)]
pub struct RateLimit<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Service<Event> for RateLimit<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = RateLimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        match self.settings.take_message(&event) {
            Ok(()) => RateLimitFuture::called(self.inner.call(event)),
            Err(wait) => RateLimitFuture::refused(wait),
        }
    }
}

impl<S, In, Out> Service<Request<In>> for RateLimit<S>
where
    S: Service<Request<In>, Response = Response<Out>>,
    Out: From<Bytes>,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = Either<S::Future, std::future::Ready<Result<Response<Out>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<In>) -> Self::Future {
        match self.settings.take_connect(&mut request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(wait) => Either::Right(std::future::ready(Ok(refusal(wait)))),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for RateLimit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}
