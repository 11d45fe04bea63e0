//! The erased service of messages.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use futures_util::{FutureExt, future::BoxFuture};
use tower::{Service, ServiceExt};

use super::PayloadLimits;
use crate::{
    extract::{Call, Event},
    filter::{Failed, FilterFn, run_filter},
    guard::Check,
    panic::caught,
    reply::Reply,
};

/// The service that a message layer wraps: always ready, infallible, cheap to clone.
#[derive(Clone)]
pub struct Route(Call);

impl Route {
    /// Erases a layered service: each call clones it, awaits the clone's readiness and calls that clone.
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<Event, Response = Reply, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(Arc::new(move |event| {
            let mut service = service.clone();
            // Who is ready at once needs no place to wait with its event. Who is not is asked again by the one that waits.
            match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(())) => Box::pin(service.call(event).map(infallible)),
                Poll::Pending => Box::pin(wait_and_call(service, event)),
            }
        }))
    }

    pub(crate) fn from_call(call: Call) -> Self {
        Self(call)
    }

    pub(crate) fn into_call(self) -> Call {
        self.0
    }
}

async fn wait_and_call<S>(mut service: S, event: Event) -> Reply
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    match service.ready().await {
        Ok(ready) => infallible(ready.call(event).await),
    }
}

fn infallible(reply: Result<Reply, Infallible>) -> Reply {
    match reply {
        Ok(reply) => reply,
    }
}

impl Service<Event> for Route {
    type Response = Reply;
    type Error = Infallible;
    type Future = RouteFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: Event) -> RouteFuture {
        RouteFuture((self.0)(event))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route")
    }
}

/// The future of a [`Route`].
pub struct RouteFuture(BoxFuture<'static, Reply>);

impl Future for RouteFuture {
    type Output = Result<Reply, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(ready!(self.0.as_mut().poll(cx))))
    }
}

impl fmt::Debug for RouteFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteFuture")
    }
}

/// What stands between the layers and a handler.
#[derive(Default)]
pub(crate) struct Surroundings {
    pub(crate) limits: PayloadLimits,
    pub(crate) guards: Vec<Check>,
    /// The handler's, the gateway's, the server's.
    pub(crate) filters: Vec<FilterFn>,
}

/// Bounds and guards before the handler, filters after it. Without any the handler is called directly.
pub(crate) fn surrounded(handler: Call, surroundings: Surroundings) -> Call {
    let Surroundings { limits, guards, filters } = surroundings;
    if guards.is_empty() && filters.is_empty() && limits.is_empty() {
        return handler;
    }
    let (guards, filters): (Arc<[Check]>, Arc<[FilterFn]>) = (guards.into(), filters.into());
    Arc::new(move |event| {
        let (handler, guards, filters) = (Arc::clone(&handler), Arc::clone(&guards), Arc::clone(&filters));
        Box::pin(async move {
            let failed = if filters.is_empty() { None } else { Failed::of(&event) };
            let counters = Arc::clone(event.hub_inner());
            let call = AssertUnwindSafe(async move {
                match limits.check(event.message().payload()) {
                    Ok(()) => pass(event, &guards, &handler).await,
                    Err(denied) => Reply::error(denied),
                }
            });
            let mut reply = call
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Reply::error(caught("a handler", &*panic, counters.counters())));
            if let Some(failed) = failed {
                // What one filter does not settle goes to the next outer one.
                for filter in filters.iter() {
                    reply = run_filter(filter, &failed, reply).await;
                }
            }
            reply
        })
    })
}

async fn pass(mut event: Event, guards: &[Check], handler: &Call) -> Reply {
    for guard in guards {
        let verdict;
        (event, verdict) = guard(event).await;
        if let Err(denied) = verdict {
            return Reply::error(denied);
        }
    }
    handler(event).await
}
