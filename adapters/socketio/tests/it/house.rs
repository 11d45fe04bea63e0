//! A server on a free port, and what its hooks noted.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use narthex_core::{BoundServer, Client, CloseReason, Gateway, Hub, Limits, Server, State};
use narthex_socketio::SocketIo;
use tokio::sync::{Semaphore, mpsc};

/// No step of a test takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A future that must not hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Waits until something holds that nobody announces.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    soon(async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// What hooks and handlers write to, and a gate that they may wait at.
#[derive(Clone)]
pub(crate) struct Probe {
    notes: mpsc::UnboundedSender<String>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Probe {
    pub(crate) fn note(&self, text: impl Into<String>) {
        // A test that has ended reads no notes.
        drop(self.notes.send(text.into()));
    }

    pub(crate) async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

pub(crate) struct House {
    pub(crate) server: BoundServer,
    pub(crate) addr: SocketAddr,
    pub(crate) probe: Probe,
    notes: mpsc::UnboundedReceiver<String>,
}

async fn hello() -> &'static str {
    "hello"
}

/// Notes why a client left.
pub(crate) async fn left(State(probe): State<Probe>, reason: CloseReason) {
    probe.note(format!("{reason:?}"));
}

impl House {
    /// The event `hello` is in every gateway.
    pub(crate) async fn open(door: SocketIo, limits: Limits, gateways: Vec<Gateway>) -> Self {
        let mut gateways = gateways.into_iter().map(|gateway| gateway.on("hello", hello));
        let first = gateways.next().unwrap();
        let (notes, noted) = mpsc::unbounded_channel();
        let probe = Probe { notes, gate: Arc::new(Semaphore::new(0)) };
        let server = gateways.fold(Server::new(first), Server::gateway);
        let server = server.limits(limits).state(probe.clone()).adapter(door);
        let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let server = server.bind(here).await.unwrap();
        let addr = server.local_addr().unwrap();
        Self { server, addr, probe, notes: noted }
    }

    /// One gateway with defaults.
    pub(crate) async fn with(gateway: Gateway) -> Self {
        Self::open(SocketIo::new(), Limits::default(), vec![gateway]).await
    }

    pub(crate) fn hub(&self) -> Hub {
        self.server.hub("/").unwrap()
    }

    /// The server's handle of the only client.
    pub(crate) fn client(&self) -> Client {
        let mut clients = self.hub().clients();
        assert_eq!(clients.len(), 1);
        clients.pop().unwrap()
    }

    pub(crate) async fn noted(&mut self) -> String {
        soon(self.notes.recv()).await.unwrap()
    }

    /// What is noted and was not read.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.notes.try_recv().ok()).collect()
    }

    /// Drains, and gives what is noted and was not read.
    pub(crate) async fn end(self) -> Vec<String> {
        let Self { server, mut notes, .. } = self;
        soon(server.drain()).await.unwrap();
        std::iter::from_fn(|| notes.try_recv().ok()).collect()
    }
}
