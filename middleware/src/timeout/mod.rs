//! Answers calls that take too long.
//!
//! ```
//! use std::time::Duration;
//!
//! use narthex_core::{Gateway, Handler};
//! use narthex_middleware::TimeoutLayer;
//!
//! async fn slow() -> &'static str {
//!     tokio::time::sleep(Duration::from_secs(3_600)).await;
//!     "done"
//! }
//!
//! let gateway = Gateway::new()
//!     .layer(TimeoutLayer::new(Duration::from_secs(30)))
//!     .on("slow", slow.layer(TimeoutLayer::new(Duration::from_secs(5))));
//! ```

mod future;
mod items;
mod layer;

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use narthex_core::{Denied, DeniedKind, Event, Reply};
use tower::Service;

pub use self::{future::TimeoutFuture, layer::TimeoutLayer};

/// The service of [`TimeoutLayer`].
#[derive(Clone, Copy, Debug)]
pub struct Timeout<S> {
    inner: S,
    times: Times,
}

/// How long a call may take, and how long a stream's next item.
#[derive(Clone, Copy, Debug)]
struct Times {
    call: Duration,
    item: Option<Duration>,
}

impl<S> Service<Event> for Timeout<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        TimeoutFuture::new(self.inner.call(event), self.times)
    }
}

fn too_long() -> Reply {
    Reply::error(Denied::new(DeniedKind::Timeout, "The handler took too long"))
}
