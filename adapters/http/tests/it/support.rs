//! A server with mounts, and a peer that writes bytes.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Mutex,
    time::Duration,
};

use narthex_core::{
    CloseReason, Connect, Gateway, Options, Result, Server, ServerHandle, Session, WebSocketAdapter,
};
use narthex_http::{Http, Mount};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

/// No step of a test takes longer, or the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Any free port.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An adapter that puts mounts on the listener and lets nobody in.
pub(crate) struct Mounts(Mutex<Vec<(&'static str, Mount)>>);

impl Mounts {
    pub(crate) fn new(mounts: impl IntoIterator<Item = (&'static str, Mount)>) -> Self {
        Self(Mutex::new(mounts.into_iter().collect()))
    }
}

impl WebSocketAdapter for Mounts {
    type Server = ();
    type Client = Infallible;

    async fn create(&self, options: &Options) -> Result<()> {
        let http = options.resource_or_insert_with(Http::new);
        let mounts = std::mem::take(&mut *self.0.lock().unwrap());
        for (pattern, mount) in mounts {
            http.mount(pattern, mount)?;
        }
        http.open(options).await.map(drop)
    }

    async fn bind_client_connect(&self, (): (), connect: Connect<Infallible>) -> Result<()> {
        connect.draining().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: Infallible, _: Session) -> CloseReason {
        match client {}
    }
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: ServerHandle,
    pub(crate) served: JoinHandle<Result<()>>,
}

impl Running {
    pub(crate) async fn start(configure: impl FnOnce(Server) -> Server) -> Self {
        let server = configure(Server::new(Gateway::new()));
        let bound = server.bind(LOOPBACK).await.unwrap();
        let (addr, handle) = (bound.local_addr().unwrap(), bound.handle());
        Self { addr, handle, served: tokio::spawn(bound.serve()) }
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer(TcpStream::connect(self.addr).await.unwrap())
    }

    /// One request on a connection of its own; the whole answer.
    pub(crate) async fn ask(&self, request: &str) -> String {
        let mut peer = self.peer().await;
        peer.send(request).await;
        peer.rest().await
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await
    }
}

/// A peer that is not necessarily polite.
pub(crate) struct Peer(pub(crate) TcpStream);

impl Peer {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// What comes until `end` has come.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.unwrap();
            text.push(byte.unwrap_or_else(|e| panic!("{e} after {:?}", String::from_utf8_lossy(&text))));
        }
        String::from_utf8(text).unwrap()
    }

    /// What comes until the server closes. A reset counts as closing.
    pub(crate) async fn rest(&mut self) -> String {
        let mut text = Vec::new();
        match timeout(PATIENCE, self.0.read_to_end(&mut text)).await.unwrap() {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => String::from_utf8(text).unwrap(),
        }
    }
}
