use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use narthex_core::{Denied, DeniedKind, Event, Reply};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

pin_project! {
    /// The future of [`Concurrency`](super::Concurrency).
    pub struct ConcurrencyFuture<S: Service<Event>> {
        #[pin]
        state: State<S, S::Future>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F> {
        Waiting { place: BoxFuture<'static, Option<Admitted<S>>> },
        Running { #[pin] call: F, _place: Option<OwnedSemaphorePermit> },
        Full,
    }
}

/// A call that waited, with its place.
struct Admitted<S> {
    place: OwnedSemaphorePermit,
    service: S,
    event: Event,
}

impl<S: Service<Event>> ConcurrencyFuture<S> {
    pub(super) fn running(call: S::Future, place: Option<OwnedSemaphorePermit>) -> Self {
        Self { state: State::Running { call, _place: place } }
    }

    pub(super) fn full() -> Self {
        Self { state: State::Full }
    }
}

impl<S: Service<Event> + Send + 'static> ConcurrencyFuture<S> {
    pub(super) fn waiting(places: Arc<Semaphore>, service: S, event: Event) -> Self {
        let place = async move {
            // Nobody closes the semaphore.
            let place = places.acquire_owned().await.ok()?;
            Some(Admitted { place, service, event })
        };
        Self { state: State::Waiting { place: Box::pin(place) } }
    }
}

impl<S> Future for ConcurrencyFuture<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Running { call, .. } => return call.poll(cx),
                StateProj::Full => return Poll::Ready(Ok(overloaded())),
                StateProj::Waiting { place } => match ready!(place.as_mut().poll(cx)) {
                    Some(Admitted { place, mut service, event }) => {
                        State::Running { call: service.call(event), _place: Some(place) }
                    }
                    None => State::Full,
                },
            };
            state.set(next);
        }
    }
}

fn overloaded() -> Reply {
    Reply::error(Denied::new(DeniedKind::Overloaded, "Overloaded"))
}

impl<S: Service<Event>> fmt::Debug for ConcurrencyFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConcurrencyFuture")
    }
}
