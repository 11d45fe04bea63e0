//! A message's span.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use narthex_core::{Client, Event, Reply};
use tower::Service;
use tracing::{Span, debug_span, field};

use super::{ConnectionSpan, TARGET, TraceFuture, future::Call};
use crate::outcome::Label;

/// The service of [`TraceLayer`](super::TraceLayer) around messages.
#[derive(Clone, Copy, Debug)]
pub struct Trace<S> {
    inner: S,
}

impl<S> Trace<S> {
    /// Makes spans of what `inner` handles.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Event> for Trace<S>
where
    S: Service<Event, Response = Reply, Error = Infallible>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let label = Label::of(&event);
        let connection = event.client().map_or_else(Span::none, ConnectionSpan::of);
        let span = debug_span!(
            target: TARGET,
            parent: connection.id(),
            "message",
            event = label.as_str(),
            ack = event.message().ack().is_some(),
            outcome = field::Empty,
            duration_us = field::Empty,
        );
        let call = Call::new(span, connection, label, event.client().map(Client::id));
        let inner = call.span().in_scope(|| self.inner.call(event));
        TraceFuture::new(inner, call)
    }
}
