//! Bounds how many calls run at once.
//!
//! ```
//! use narthex_core::{Gateway, Handler};
//! use narthex_middleware::ConcurrencyLayer;
//!
//! async fn report() -> &'static str {
//!     "a large one"
//! }
//!
//! let gateway = Gateway::new()
//!     .layer(ConcurrencyLayer::new(1_000).shed())
//!     .on("report", report.concurrent(8).layer(ConcurrencyLayer::per_client(2)));
//! ```

mod future;
mod layer;
mod places;

use std::{
    convert::Infallible,
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use narthex_core::{Event, Reply};
use tower::Service;

use self::places::Places;
pub use self::{future::ConcurrencyFuture, layer::ConcurrencyLayer};

/// The service of [`ConcurrencyLayer`].
#[derive(Clone, Debug)]
pub struct Concurrency<S> {
    inner: S,
    places: Places,
    when_full: WhenFull,
}

#[derive(Clone, Copy, Debug)]
enum WhenFull {
    Wait,
    Shed,
}

impl<S> Service<Event> for Concurrency<S>
where
    S: Service<Event, Response = Reply, Error = Infallible> + Clone + Send + 'static,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = ConcurrencyFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let Some(places) = self.places.of(&event) else {
            return ConcurrencyFuture::running(self.inner.call(event), None);
        };
        match (Arc::clone(&places).try_acquire_owned(), self.when_full) {
            (Ok(place), _) => ConcurrencyFuture::running(self.inner.call(event), Some(place)),
            (Err(_), WhenFull::Shed) => ConcurrencyFuture::full(),
            (Err(_), WhenFull::Wait) => {
                // The service that has said that it is ready is the one to be called.
                let next = self.inner.clone();
                ConcurrencyFuture::waiting(places, mem::replace(&mut self.inner, next), event)
            }
        }
    }
}
