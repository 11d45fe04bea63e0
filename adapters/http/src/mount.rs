//! What an adapter puts on a path of the shared listener.

use std::{fmt, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response};

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
    handler: Arc<Handler>,
}

impl Mount {
    /// Answers what `claim` covers with `handler`.
    pub fn new<F, Fut>(claim: Claim, handler: F) -> Self
    where
        F: Fn(Request<HttpBody>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<HttpBody>> + Send + 'static,
    {
        Self { claim, handler: Arc::new(move |request| handler(request).boxed()) }
    }

    /// What it answers.
    pub fn claim(&self) -> Claim {
        self.claim
    }

    pub(crate) fn call(&self, request: Request<HttpBody>) -> BoxFuture<'static, Response<HttpBody>> {
        (self.handler)(request)
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("claim", &self.claim).finish_non_exhaustive()
    }
}
