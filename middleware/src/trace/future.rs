use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use narthex_core::{ClientId, DeniedKind, Reply};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tracing::{Span, debug, error, field};

use super::TARGET;
use crate::outcome::{Label, Progress, outcome};

pin_project! {
    /// The future of [`TraceHandshake`](super::TraceHandshake).
    pub struct TraceHandshakeFuture<F> {
        #[pin]
        inner: F,
        span: Span,
    }
}

impl<F> TraceHandshakeFuture<F> {
    pub(super) fn new(inner: F, span: Span) -> Self {
        Self { inner, span }
    }
}

impl<F, R, E> Future for TraceHandshakeFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.span.enter();
        let answer = ready!(this.inner.poll(cx));
        drop(entered);
        if let Ok(response) = &answer {
            this.span.record("status", response.status().as_u16());
        }
        Poll::Ready(answer)
    }
}

/// One message on its way.
pub(super) struct Call {
    span: Span,
    label: Label,
    client: Option<ClientId>,
    /// Where the span is the message's own: when it began.
    began: Option<Instant>,
    progress: Progress,
}

impl Call {
    pub(super) fn new(message: Span, connection: Span, label: Label, client: Option<ClientId>) -> Self {
        let began = (!message.is_disabled()).then(Instant::now);
        let span = if began.is_some() { message } else { connection };
        Self { span, label, client, began, progress: Progress::default() }
    }

    /// The span to run in: the message's, or the connection's where nobody wants that.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    fn finish(&mut self, reply: &Reply) {
        let kind = reply.failed_with();
        self.close(outcome(kind));
        let (event, client) = (self.label.as_str(), self.client.map(field::display));
        match (kind, reply.denied()) {
            (None, _) => {}
            (Some(DeniedKind::Internal), Some(denied)) => {
                if !denied.claim_log() {
                    return;
                }
                let error = denied.source().map(|source| source as &(dyn std::error::Error + 'static));
                error!(target: TARGET, parent: &self.span, event, client, error, "a call failed");
            }
            (Some(kind), _) => {
                let outcome = kind.name();
                debug!(target: TARGET, parent: &self.span, event, client, outcome, "a message was refused");
            }
        }
    }

    fn close(&mut self, outcome: &str) {
        self.progress.end();
        if let Some(began) = self.began {
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.span.record("outcome", outcome).record("duration_us", micros);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(outcome) = self.progress.abandoned() {
            self.close(outcome);
        }
    }
}

pin_project! {
    /// The future of [`Trace`](super::Trace).
    pub struct TraceFuture<F> {
        #[pin]
        inner: F,
        call: Call,
    }
}

impl<F> TraceFuture<F> {
    pub(super) fn new(inner: F, call: Call) -> Self {
        Self { inner, call }
    }
}

impl<F: Future<Output = Result<Reply, Infallible>>> Future for TraceFuture<F> {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.call.progress.enter();
        let entered = this.call.span.enter();
        let polled = this.inner.poll(cx);
        drop(entered);
        this.call.progress.leave();
        let Ok(reply) = ready!(polled);
        this.call.finish(&reply);
        Poll::Ready(Ok(reply))
    }
}

impl<F> fmt::Debug for TraceHandshakeFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceHandshakeFuture")
    }
}

impl<F> fmt::Debug for TraceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceFuture")
    }
}
