//! The connection's span.

use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use narthex_core::{Client, OnOpen, PeerAddr};
use tower::Service;
use tracing::{Span, field, info_span};

use super::{TARGET, TraceHandshakeFuture, TraceLayer, TraceParent};

/// The span of a client's connection, as an extension of its handshake: for tasks that a handler starts.
///
/// It lives as long as something of the client does. Where a session outlives its carrier, it is the span of the
/// handshake that the session began with; later ones have spans of their own, which end with the handshake.
#[derive(Clone, Debug)]
pub struct ConnectionSpan(pub Span);

impl ConnectionSpan {
    /// The span of a client; a disabled one where there is none.
    pub(super) fn of(client: &Client) -> Span {
        client.handshake().extensions().get::<Self>().map_or_else(Span::none, |span| span.0.clone())
    }
}

/// The service of [`TraceLayer`] around handshakes.
#[derive(Clone, Debug)]
pub struct TraceHandshake<S> {
    inner: S,
    trace: TraceLayer,
}

impl<S> TraceHandshake<S> {
    /// Makes spans of what `inner` judges.
    pub fn new(inner: S, trace: TraceLayer) -> Self {
        Self { inner, trace }
    }

    fn span<B>(&self, request: &Request<B>, parent: Option<&TraceParent>) -> Span {
        let options = self.trace.options();
        let span = info_span!(
            target: TARGET,
            parent: None,
            "connection",
            adapter = field::Empty,
            namespace = request.uri().path(),
            client = field::Empty,
            status = field::Empty,
            query = field::Empty,
            peer = field::Empty,
            trace_id = field::Empty,
            parent_id = field::Empty,
        );
        if span.is_disabled() {
            return span;
        }
        if let Some(query) = request.uri().query().filter(|_| options.query) {
            span.record("query", field::display(options.redact.query(query)));
        }
        if let Some(PeerAddr(addr)) = request.extensions().get().filter(|_| options.peer) {
            span.record("peer", field::display(addr));
        }
        if let Some(parent) = parent {
            span.record("trace_id", field::display(Hex::<32>(parent.trace_id())));
            span.record("parent_id", field::display(Hex::<16>(parent.parent_id().into())));
        }
        span
    }
}

impl<S, B, R> Service<Request<B>> for TraceHandshake<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TraceHandshakeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let parent = TraceParent::from_headers(request.headers());
        let span = self.span(&request, parent.as_ref());
        let extensions = request.extensions_mut();
        if let Some(parent) = parent {
            extensions.insert(parent);
        }
        if !span.is_disabled() {
            extensions.insert(ConnectionSpan(span.clone()));
            let opened = span.clone();
            OnOpen::add(extensions, move |client| {
                opened.record("adapter", client.adapter());
                opened.record("client", field::display(client.id()));
            });
        }
        let inner = span.in_scope(|| self.inner.call(request));
        TraceHandshakeFuture::new(inner, span)
    }
}

/// So many digits in lower case.
struct Hex<const DIGITS: usize>(u128);

impl<const DIGITS: usize> fmt::Display for Hex<DIGITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}
