//! An adapter of one's own: plain WebSocket on a port of its own, by the three methods and nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, future::ready};
use narthex::{
    Capability, CloseReason, Connect, Flat, Frame, Options, PeerAddr, Result, Session, WebSocketAdapter,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// What a message may hold, in bytes.
const LARGEST: usize = 64 * 1024;

/// How long the upgrade may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct PlainWs {
    addr: SocketAddr,
    bound: Arc<OnceLock<SocketAddr>>,
}

impl PlainWs {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self { addr, bound: Arc::default() }
    }

    /// Where it listens, once it is open.
    pub(crate) fn local_addr(&self) -> Arc<OnceLock<SocketAddr>> {
        Arc::clone(&self.bound)
    }
}

type Socket = WebSocketStream<TcpStream>;

impl WebSocketAdapter for PlainWs {
    type Server = TcpListener;
    type Client = Socket;

    fn capability(&self) -> Capability {
        Capability::default().with_name("plain-ws").with_own_address(true)
    }

    async fn create(&self, _: &Options) -> Result<TcpListener> {
        let listener = TcpListener::bind(self.addr).await?;
        // A server is opened once.
        let _ = self.bound.set(listener.local_addr()?);
        Ok(listener)
    }

    async fn bind_client_connect(&self, door: TcpListener, connect: Connect<Socket>) -> Result<()> {
        loop {
            let (arriving, drain) = (connect.clone(), connect.draining());
            let stream = tokio::select! { peer = door.accept() => peer?.0, () = drain => return Ok(()) };
            connect.spawn(async move { arrive(stream, arriving).await });
        }
    }

    async fn bind_message_handlers(&self, socket: Socket, session: Session) -> CloseReason {
        let (write, read) = socket.split();
        let inbound = read.filter_map(|message| ready(inbound(message.map_err(|_| CloseReason::ClientGone))));
        let outbound = write.with(|frame: Frame| {
            let text = frame.as_text().unwrap_or_default().to_owned();
            ready(Ok::<_, tokio_tungstenite::tungstenite::Error>(Message::text(text)))
        });
        session.pump(inbound, outbound).await
    }
}

/// A client that is refused is told so by a close frame: this door upgrades first.
async fn arrive(stream: TcpStream, connect: Connect<Socket>) {
    let mut uri = None;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
        .max_write_buffer_size(16 * LARGEST);
    let look = |request: &Request, response: Response| {
        uri = Some(request.uri().clone());
        Ok(response)
    };
    let Ok(peer) = stream.peer_addr() else { return };
    let upgrade = accept_hdr_async_with_config(stream, look, Some(config));
    // Who does not ask in time is let go, or it would hold its place for ever.
    let Ok(Ok(mut socket)) = tokio::time::timeout(PATIENCE, upgrade).await else { return };
    let mut request = http::Request::new(());
    request.extensions_mut().insert(PeerAddr(peer));
    *request.uri_mut() = uri.unwrap_or_default();
    match connect.handshake(request).await {
        Ok(admission) => drop(admission.envelope(Arc::new(Flat::default())).open(socket).await),
        Err(refusal) => {
            let reason = String::from_utf8_lossy(refusal.body()).chars().take(100).collect::<String>();
            let frame = CloseFrame { code: 1008.into(), reason: reason.into() };
            // Who has gone already need not be told.
            let _ = socket.close(Some(frame)).await;
        }
    }
}

fn inbound(message: Result<Message, CloseReason>) -> Option<Result<Frame, CloseReason>> {
    Some(match message {
        Ok(Message::Text(text)) => Ok(Frame::text(text.as_str())),
        Ok(Message::Close(_)) => Err(CloseReason::ClientClosed { code: 1000, text: String::new() }),
        Ok(Message::Binary(_)) => Err(CloseReason::disconnected(1003, "text only")),
        Ok(_) => return None,
        Err(reason) => Err(reason),
    })
}
