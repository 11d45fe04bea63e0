//! What an adapter puts on a path of the shared listener.

use std::{fmt, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response, request::Parts};

use crate::body::HttpBody;

/// Which requests of a path a mount answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Claim {
    /// Requests that ask for a WebSocket (RFC 6455 section 4.2.1: `Connection: upgrade` and `Upgrade: websocket`).
    ///
    /// Other requests of the path go to the user's own service, or are answered 426.
    Upgrade,
    /// Every request that does not ask for a WebSocket.
    Requests,
    /// Every request.
    All,
}

impl Claim {
    pub(crate) fn covers(self, upgrade: bool) -> bool {
        match self {
            Self::Upgrade => upgrade,
            Self::Requests => !upgrade,
            Self::All => true,
        }
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        [true, false].into_iter().any(|upgrade| self.covers(upgrade) && other.covers(upgrade))
    }
}

type Handler = dyn Fn(Request<HttpBody>) -> BoxFuture<'static, Response<HttpBody>> + Send + Sync;

/// A claim with the function that answers what it covers.
///
/// The request carries [`PeerAddr`](narthex_core::PeerAddr) as an extension, and its body is bounded by the
/// listener's configuration: read it with [`collect`](crate::collect). A panic of the function is logged and answered 500.
#[derive(Clone)]
pub struct Mount {
    claim: Claim,
    only: Option<Only>,
    body_size: Option<usize>,
    handler: Arc<Handler>,
}

/// What else a request must have.
#[derive(Clone, Copy)]
struct Only {
    name: &'static str,
    is_for: fn(&Parts) -> bool,
}

impl Mount {
    /// Answers what `claim` covers with `handler`.
    pub fn new<F, Fut>(claim: Claim, handler: F) -> Self
    where
        F: Fn(Request<HttpBody>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<HttpBody>> + Send + 'static,
    {
        let handler = Arc::new(move |request| handler(request).boxed());
        Self { claim, only: None, body_size: None, handler }
    }

    /// Answers only those of the claimed requests that `is_for` lets pass; it is asked before mounts that answer all.
    /// `name` says what they are: two mounts of one path that have the same name answer the same requests, which is an
    /// error.
    #[must_use]
    pub fn only(mut self, name: &'static str, is_for: fn(&Parts) -> bool) -> Self {
        self.only = Some(Only { name, is_for });
        self
    }

    /// The bytes of a request's body, in place of [`HttpConfig::body_size`](crate::HttpConfig::body_size).
    #[must_use]
    pub fn body_size(mut self, bytes: usize) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// What it answers.
    pub fn claim(&self) -> Claim {
        self.claim
    }

    /// Whether it answers some of what it claims.
    pub(crate) fn is_partial(&self) -> bool {
        self.only.is_some()
    }

    pub(crate) fn covers(&self, upgrade: bool, head: &Parts) -> bool {
        self.claim.covers(upgrade) && self.only.is_none_or(|only| (only.is_for)(head))
    }

    /// Whether there are requests that both answer, and neither goes before the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let name = |mount: &Self| mount.only.map(|only| only.name);
        self.claim.overlaps(other.claim) && name(self) == name(other)
    }

    pub(crate) fn own_body_size(&self) -> Option<usize> {
        self.body_size
    }

    pub(crate) fn call(&self, request: Request<HttpBody>) -> BoxFuture<'static, Response<HttpBody>> {
        (self.handler)(request)
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = self.only.map(|only| only.name);
        f.debug_struct("Mount").field("claim", &self.claim).field("only", &only).finish_non_exhaustive()
    }
}
