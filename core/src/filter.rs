//! Filters: turn an error into a reply.

use std::{
    future::{Future, ready},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, Either},
};

use crate::{
    client::Client,
    extract::Event,
    message::{EventName, Payload},
    panic::caught,
    reply::{Denied, IntoReply, Reply},
};

/// The message that failed, for a filter to look at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failed {
    /// Its client.
    pub client: Client,
    /// Its event.
    pub event: EventName,
    /// Its payload.
    pub payload: Payload,
    /// Whether its client awaits an answer.
    pub asked: bool,
}

impl Failed {
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let client = event.client().cloned()?;
        let message = &event.message;
        let (name, payload) = (message.event().clone(), message.payload().clone());
        Some(Self { client, event: name, payload, asked: message.ack().is_some() })
    }
}

pub(crate) type FilterFn = Arc<dyn Fn(Denied, Failed) -> BoxFuture<'static, Reply> + Send + Sync>;

/// An async fn of a [`Denied`] and the message that [`Failed`], which makes the reply.
///
/// The handler's filter acts first. A reply that is an error again (the same, or in other words) goes to the gateway's, then to the
/// server's; what is an error still is told in the default way. So a filter answers, emits another event, closes
/// (`failed.client.disconnect(…)`), or passes on what is not its matter. The errors of a stream's items, and those among several
/// replies, go the same way.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    label = "not a filter",
    note = "a filter is an async fn of `Denied` and `Failed` whose result implements `IntoReply`; it must be `Send + Sync + 'static`"
)]
pub trait Filter<M>: Sized {
    /// The erased filter.
    #[doc(hidden)]
    fn into_fn(self) -> FilterFn;
}

impl<F, Fut, R> Filter<(Fut, R)> for F
where
    F: Fn(Denied, Failed) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoReply + 'static,
{
    fn into_fn(self) -> FilterFn {
        Arc::new(move |denied, failed| {
            let run = self(denied, failed);
            Box::pin(async move { run.await.into_reply() })
        })
    }
}

/// Lets a filter act on a failed reply, on each failure among several replies, and on the errors of a stream.
pub(crate) async fn run_filter(filter: &FilterFn, failed: &Failed, reply: Reply) -> Reply {
    let mut reply = match reply.into_denied() {
        Ok(denied) => return apply(filter, denied, failed.clone()).await,
        Err(reply) => reply,
    };
    let Some(several) = reply.several_mut() else { return reply.map_stream_errors(filter, failed) };
    for one in several {
        let before = std::mem::replace(one, Reply::none());
        *one = boxed(filter, failed, before).await;
    }
    reply
}

fn boxed<'a>(filter: &'a FilterFn, failed: &'a Failed, reply: Reply) -> BoxFuture<'a, Reply> {
    Box::pin(run_filter(filter, failed, reply))
}

pub(crate) async fn apply(filter: &FilterFn, denied: Denied, failed: Failed) -> Reply {
    let hub = Arc::clone(failed.client.hub_inner());
    let kind = denied.kind();
    // The filter's own body may panic before it gives its future.
    let run = AssertUnwindSafe(async { filter(denied, failed).await }).catch_unwind();
    let reply = run.await;
    reply.unwrap_or_else(|panic| Reply::error(caught("a filter", &*panic, hub.counters()))).made_of(kind)
}

impl Reply {
    fn map_stream_errors(self, filter: &FilterFn, failed: &Failed) -> Self {
        self.map_streams(|stream| {
            let (filter, failed) = (Arc::clone(filter), failed.clone());
            stream.then(move |mut item| {
                if item.denied().is_none() && item.several_mut().is_none() {
                    return Either::Left(ready(item));
                }
                let (filter, failed) = (Arc::clone(&filter), failed.clone());
                Either::Right(async move {
                    let ends = item.ends_stream();
                    let told = boxed(&filter, &failed, item).await;
                    if ends { told.ending_stream() } else { told }
                })
            })
        })
    }
}
