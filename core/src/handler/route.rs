//! The erased service of messages.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::BoxFuture};
use tower::{Service, ServiceExt};

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
            Box::pin(async move {
                let reply = match service.ready().await {
                    Ok(ready) => ready.call(event).await,
                    Err(never) => match never {},
                };
                match reply {
                    Ok(reply) => reply,
                    Err(never) => match never {},
                }
            })
        }))
    }

    pub(crate) fn from_call(call: Call) -> Self {
        Self(call)
    }

    pub(crate) fn into_call(self) -> Call {
        self.0
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

/// Guards before the handler, a filter after it. Without either the handler is called directly.
pub(crate) fn guarded(handler: Call, guards: Arc<[Check]>, filter: Option<FilterFn>) -> Call {
    if guards.is_empty() && filter.is_none() {
        return handler;
    }
    Arc::new(move |event| {
        let (handler, guards, filter) = (Arc::clone(&handler), Arc::clone(&guards), filter.clone());
        Box::pin(async move {
            let failed = filter.as_ref().and_then(|_| Failed::of(&event));
            let counters = Arc::clone(&event.hub);
            let call = AssertUnwindSafe(async move { pass(event, &guards, &handler).await });
            let reply = call
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Reply::error(caught("a handler", &*panic, counters.counters())));
            match (filter, failed) {
                (Some(filter), Some(failed)) => run_filter(&filter, failed, reply).await,
                _ => reply,
            }
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
