//! A door that hands its sessions over, so that a benchmark drives them by itself.

use std::{future::pending, sync::Arc};

use bytes::Bytes;
use narthex::{
    BoundServer, CloseReason, Connect, Envelope, Frame, Gateway, Limits, Options, Outlet, Server, Session,
    WebSocketAdapter,
};
use tokio::sync::mpsc;

use crate::Result;

/// The door.
#[derive(Debug)]
struct Desk {
    clients: usize,
    envelope: Arc<dyn Envelope>,
    sessions: mpsc::Sender<Session>,
}

impl WebSocketAdapter for Desk {
    type Server = ();
    type Client = ();

    async fn create(&self, _: &Options) -> narthex::Result<()> {
        Ok(())
    }

    async fn bind_client_connect(&self, (): (), connect: Connect<()>) -> narthex::Result<()> {
        for _ in 0..self.clients {
            let (arriving, envelope) = (connect.clone(), Arc::clone(&self.envelope));
            connect.spawn(async move {
                // Where a client is refused, a session is missing at the other end.
                if let Ok(admission) = arriving.handshake(http::Request::new(())).await {
                    admission.envelope(envelope).open(()).await;
                }
            });
        }
        connect.draining().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, (): (), session: Session) -> CloseReason {
        // Who asked for the sessions may have had enough of them.
        drop(self.sessions.send(session).await);
        pending().await
    }
}

/// A server and the sessions of its clients.
#[derive(Debug)]
pub(crate) struct Open {
    /// The server; dropped, its clients are closed.
    pub(crate) server: BoundServer,
    /// One for each client.
    pub(crate) sessions: Vec<Session>,
}

/// Serves `gateway` to so many clients.
///
/// # Errors
///
/// When the server does not start or a client is refused.
pub(crate) async fn open(gateway: Gateway, clients: usize, envelope: impl Envelope) -> Result<Open> {
    let (sender, mut arriving) = mpsc::channel(clients);
    let desk = Desk { clients, envelope: Arc::new(envelope), sessions: sender };
    let server = Server::new(gateway).limits(Limits::default().clients(clients)).adapter(desk).open().await?;
    let mut sessions = Vec::with_capacity(clients);
    while sessions.len() < clients {
        sessions.push(arriving.recv().await.ok_or("a client was refused")?);
    }
    Ok(Open { server, sessions })
}

/// An outlet that keeps all frames in one buffer, as a door does.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    /// What was written.
    pub(crate) bytes: Vec<u8>,
    /// How many frames it was.
    pub(crate) frames: u64,
}

impl Outlet for Paper {
    fn text(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.frames += 1;
    }

    fn binary(&mut self, payload: &[u8]) {
        self.text(payload);
    }

    fn frame(&mut self, frame: &Frame) {
        self.text(frame.payload());
    }

    fn framed(&mut self, bytes: &Bytes) {
        self.text(bytes);
    }
}
