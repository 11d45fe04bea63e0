//! A running server and its drain.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::entrance::Addresses;
use crate::{
    adapter::{Accepting, Options, Shared},
    client::CloseReason,
    error::{Error, ErrorKind, Result},
    room::Hub,
    stats::Stats,
};

/// A server whose doors are open.
///
/// Dropped, it drains in the background without waiting.
pub struct BoundServer {
    shared: Arc<Shared>,
    /// One for each address, the main one first.
    places: Vec<Options>,
    addresses: Arc<Addresses>,
    doors: JoinSet<Result<()>>,
}

/// Looks into a running server, and stops it. Cheap to clone.
#[derive(Clone)]
pub struct ServerHandle {
    shared: Arc<Shared>,
    addresses: Arc<Addresses>,
    stop: tokio_util::sync::CancellationToken,
}

/// How long tasks may take to end after the drain's time is over.
const AFTER_KILL: Duration = Duration::from_secs(2);

impl BoundServer {
    pub(crate) fn start(shared: Arc<Shared>, places: Vec<Options>, accepting: Vec<Accepting>) -> Self {
        let mut doors = JoinSet::new();
        for door in accepting {
            doors.spawn(door);
        }
        for task in shared.take_on_serve() {
            // One that panics is a door that has failed.
            doors.spawn(shared.tracker.track_future(async move {
                task.await;
                Ok(())
            }));
        }
        let addresses = Arc::new(Addresses::new(&places));
        Self { shared, places, addresses, doors }
    }

    /// The main address: the one that the first door bound for [`Server::bind`](crate::Server::bind).
    ///
    /// # Errors
    /// `Unsupported` when no door has an address there.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let main = self.places.first().and_then(Options::local_addr);
        main.ok_or_else(|| Error::new(ErrorKind::Unsupported, "no door has an address"))
    }

    /// All addresses: the main one, those of [`Server::also_bind`](crate::Server::also_bind), the gateways' own.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.addresses.all()
    }

    /// The first address at which a namespace is open, by a concrete path of it.
    pub fn local_addr_of(&self, path: &str) -> Option<SocketAddr> {
        self.addresses.of(path, &self.shared)
    }

    /// A handle for other tasks.
    pub fn handle(&self) -> ServerHandle {
        let (shared, addresses) = (Arc::clone(&self.shared), Arc::clone(&self.addresses));
        ServerHandle { stop: shared.draining.clone(), shared, addresses }
    }

    /// The hub of a namespace's concrete path.
    pub fn hub(&self, path: &str) -> Option<Hub> {
        self.shared.hub(path)
    }

    /// What the server counted.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// Serves until [`ServerHandle::stop`] is called or a door fails, then drains.
    ///
    /// # Errors
    /// The first error of a door. `Timeout` when the drain's time was not enough.
    pub async fn serve(mut self) -> Result<()> {
        let stop = self.shared.draining.clone();
        let failed = tokio::select! {
            () = stop.cancelled() => None,
            failed = first_failure(&mut self.doors) => Some(failed),
        };
        let drained = self.drain().await;
        failed.map_or(drained, Err)
    }

    /// Serves until Ctrl-C or, on Unix, SIGTERM; then drains.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn serve_until_stopped(self) -> Result<()> {
        let handle = self.handle();
        let signal = async move {
            stop_signal().await;
            handle.stop();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = self.serve() => served,
            () = signal => Ok(()),
        }
    }

    /// Stops accepting, lets running handlers finish, sends what is queued, closes every client with 1001 and
    /// runs `on_disconnect`.
    ///
    /// # Errors
    /// `Timeout` when something still ran after the drain's time (`Limits::drain_timeout`) and was dropped.
    pub async fn drain(mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.draining.cancel();
        shared.close_all(&CloseReason::Draining);
        shared.tracker.close();
        let all = async {
            while self.doors.join_next().await.is_some() {}
            shared.tracker.wait().await;
        };
        let mut all = std::pin::pin!(all);
        if tokio::time::timeout(shared.limits.drain_timeout, &mut all).await.is_ok() {
            return Ok(());
        }
        shared.kill();
        if tokio::time::timeout(AFTER_KILL, all).await.is_err() {
            tracing::warn!(tasks = shared.tracker.len(), "tasks did not end with the drain");
        }
        Err(Error::new(ErrorKind::Timeout, "the drain's time was over before everything had ended"))
    }
}

impl Drop for BoundServer {
    fn drop(&mut self) {
        self.shared.draining.cancel();
        self.shared.close_all(&CloseReason::Draining);
        // Listeners that live in the resources go with the options.
    }
}

/// The first error of a door; pending while all doors are well, also when some have ended well.
async fn first_failure(doors: &mut JoinSet<Result<()>>) -> Error {
    while let Some(ended) = doors.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(panic) => return Error::new(ErrorKind::Io, "a door panicked").with_source(panic),
        }
    }
    std::future::pending().await
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            return interrupt.await.unwrap_or_default();
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await.unwrap_or_default();
}

impl ServerHandle {
    /// Makes [`BoundServer::serve`] drain and return.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// As [`BoundServer::local_addrs`].
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.addresses.all()
    }

    /// As [`BoundServer::local_addr_of`].
    pub fn local_addr_of(&self, path: &str) -> Option<SocketAddr> {
        self.addresses.of(path, &self.shared)
    }

    /// The hub of a namespace's concrete path.
    pub fn hub(&self, path: &str) -> Option<Hub> {
        self.shared.hub(path)
    }

    /// What the server counted.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// How many messages and bytes wait in the outboxes of all clients. It looks at each client in turn: for a look now and
    /// then, as a scrape of metrics is.
    pub fn outbox_depth(&self) -> (usize, usize) {
        self.shared.outbox_depth()
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer").field("places", &self.places).finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerHandle")
    }
}
