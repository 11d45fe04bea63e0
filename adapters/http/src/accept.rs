//! The accept loop. It owns its connections: when it is dropped, they are.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::HttpConfig,
    connection::{self, Served},
    listener::End,
    permits::Permits,
    security::Security,
    service::HttpService,
};

/// The pauses after an `accept` that failed for want of descriptors or memory.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the loop needs.
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) service: HttpService,
    pub(crate) config: Arc<HttpConfig>,
    pub(crate) security: Security,
    pub(crate) permits: Arc<Permits>,
    pub(crate) end: End,
}

impl Acceptor {
    /// Accepts until the drain begins, then waits for the connections to end, or drops them when the drain's time is
    /// over.
    pub(crate) async fn run(self) {
        let Self { listener, service, config, security, permits, end } = self;
        let End { draining, killed, tracker } = end;
        let http = connection::protocol(&config);
        let mut connections = JoinSet::new();
        let mut pause = FIRST_PAUSE;
        loop {
            let accepted = tokio::select! {
                biased;
                () = draining.cancelled() => break,
                // Ended connections are taken out; they log their own panics.
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = FIRST_PAUSE;
                    let max_per_ip = config.connections_per_ip;
                    // Over a bound the stream is dropped here, which closes it.
                    let Some(permit) = permits.acquire(peer.ip(), config.connections, max_per_ip) else {
                        continue;
                    };
                    set_options(&stream, &config);
                    let (service, config) = (service.clone(), Arc::clone(&config));
                    let served = Served { http: http.clone(), peer, permit, service, config };
                    let served = begin(stream, security.clone(), served, draining.clone());
                    connections.spawn(tracker.track_future(served));
                }
                Err(error) if concerns_one_peer(&error) => {}
                Err(error) => {
                    permits.count_accept_error();
                    tracing::warn!(%error, ?pause, "cannot accept connections");
                    tokio::select! {
                        () = draining.cancelled() => break,
                        () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    }
                }
            }
        }
        drop(listener);
        let all_ended = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = all_ended => {}
            () = killed.cancelled() => tracing::warn!("the drain's time is over, connections are dropped"),
        }
    }
}

/// Agrees on the stream, within the time of a head, and serves it.
async fn begin(stream: TcpStream, security: Security, served: Served, draining: CancellationToken) {
    let secured = tokio::select! {
        biased;
        secured = security.secure(stream, served.config.head_timeout) => secured,
        () = draining.cancelled() => return,
    };
    match secured {
        Ok(stream) => served.run(stream, draining).await,
        Err(error) => tracing::debug!(peer = %served.peer, %error, "no TLS was agreed on"),
    }
}

fn set_options(stream: &TcpStream, config: &HttpConfig) {
    if let Err(error) = stream.set_nodelay(config.nodelay) {
        // The peer is gone already; its connection ends by itself.
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
}

/// Whether an error of `accept` is about the connection that it would have been.
fn concerns_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
