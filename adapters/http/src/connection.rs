//! One connection from its accept to its end or its upgrade.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use narthex_core::PeerAddr;
use tokio_util::sync::CancellationToken;

use crate::{
    body::{HttpBody, boxed, empty},
    bounded::Bounded,
    config::HttpConfig,
    guarded::Guarded,
    permits::ConnectionPermit,
    phase::{Kind, Phase},
    service::{self, HttpService, panic_text},
    stream::HttpStream,
};

/// hyper's buffer of a connection, in either direction; it panics below 8 KiB.
const BUFFER: usize = 64 * 1024;

/// What hyper is told once for all connections.
pub(crate) fn protocol(config: &HttpConfig) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // The deadlines are the I/O's; this one makes hyper read while it is idle, and stands behind them.
        .header_read_timeout(config.keep_alive.saturating_add(config.head_timeout))
        .max_header_size(config.head_size)
        .max_buf_size(config.head_size.max(BUFFER));
    // hyper's own default is 100 too, and it allocates for every request once a number is set.
    if config.head_fields != 100 {
        http.max_headers(config.head_fields);
    }
    http
}

/// One connection, and what serves it.
pub(crate) struct Served {
    pub(crate) http: http1::Builder,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: ConnectionPermit,
    pub(crate) service: HttpService,
    pub(crate) config: Arc<HttpConfig>,
}

impl Served {
    /// Serves the connection until it ends, is upgraded, or `draining` and idle.
    pub(crate) async fn run(self, stream: HttpStream, draining: CancellationToken) {
        let Self { http, peer, permit, service, config } = self;
        let phase = Arc::<Phase>::default();
        let io = TokioIo::new(Guarded::new(stream, permit, Arc::clone(&phase), &config));
        let answer = service_fn(move |request: Request<Incoming>| {
            phase.enter(Kind::Busy);
            let request = admit(request, peer, &phase, &config);
            let (service, phase) = (service.clone(), Arc::clone(&phase));
            async move {
                let response = service::call(service, request).await;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    phase.switch();
                }
                Ok::<_, Infallible>(response.map(|body| Answered { body, phase }))
            }
        });
        let connection = async {
            let mut connection = pin!(http.serve_connection(io, answer).with_upgrades());
            tokio::select! {
                ended = connection.as_mut() => return ended,
                () = draining.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            connection.await
        };
        match AssertUnwindSafe(connection).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%peer, error = &error as &dyn std::error::Error, "connection ended")
            }
            Err(panic) => tracing::error!(%peer, panic = panic_text(&*panic), "a response's body panicked"),
        }
    }
}

/// The request as services see it.
fn admit(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    phase: &Arc<Phase>,
    config: &HttpConfig,
) -> Request<HttpBody> {
    request.extensions_mut().insert(PeerAddr(peer));
    request.map(|body| match body.is_end_stream() {
        true => empty(),
        false => Bounded::moving(boxed(body), config.body_timeout, Arc::clone(phase)).boxed_unsync(),
    })
}

/// A response's body; the connection is idle once hyper is done with it.
struct Answered {
    body: HttpBody,
    phase: Arc<Phase>,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.phase.enter(Kind::Idle);
    }
}
