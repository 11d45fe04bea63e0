//! The in-memory adapter.

use std::{
    future::Future,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use futures_util::{Sink, Stream, sink, stream};
use http::{Request, Response};
use tokio::sync::{mpsc, oneshot};

use crate::{
    adapter::{Capability, Connect, Options, Session, WebSocketAdapter},
    client::CloseReason,
    error::{Error, ErrorKind, Result},
    message::{Envelope, Frame, JsonEnvelope},
};

/// How many frames wait in each direction between a peer and its session.
const IN_FLIGHT: usize = 16;

/// A door without a network: peers in the same process, by bounded channels of frames.
#[derive(Debug)]
pub struct Memory {
    arrivals: Mutex<Option<mpsc::Receiver<Arrival>>>,
    sender: mpsc::Sender<Arrival>,
    envelope: Arc<dyn Envelope>,
}

/// A peer that asks to be let in.
#[derive(Debug)]
pub struct Arrival {
    request: Request<()>,
    answer: oneshot::Sender<Result<MemoryPeer, Response<Bytes>>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// A door with the default envelope.
    pub fn new() -> Self {
        let (sender, arrivals) = mpsc::channel(IN_FLIGHT);
        Self { arrivals: Mutex::new(Some(arrivals)), sender, envelope: Arc::new(JsonEnvelope) }
    }

    /// The same with another envelope.
    #[must_use]
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.envelope = Arc::new(envelope);
        self
    }

    /// Connects peers to this door.
    pub fn connector(&self) -> MemoryConnector {
        MemoryConnector(self.sender.clone())
    }
}

/// Connects peers to a [`Memory`] door. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MemoryConnector(mpsc::Sender<Arrival>);

impl MemoryConnector {
    /// Arrives with this request; its path is the namespace's.
    ///
    /// # Errors
    /// The refusal. A door that is closed answers 503.
    pub async fn connect(&self, request: Request<()>) -> std::result::Result<MemoryPeer, Response<Bytes>> {
        let (answer, answered) = oneshot::channel();
        let closed = || {
            let mut response = Response::new(Bytes::from_static(b"the door is closed"));
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            response
        };
        self.0.send(Arrival { request, answer }).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// The far end of a connection to a [`Memory`] door. Dropped, the client is gone.
#[derive(Debug)]
pub struct MemoryPeer {
    to_server: Option<mpsc::Sender<Frame>>,
    from_server: mpsc::Receiver<Frame>,
    closed: Arc<OnceLock<CloseReason>>,
    goodbye: Option<oneshot::Sender<CloseReason>>,
}

impl MemoryPeer {
    /// Sends one frame; waits while the server does not read. The future does not borrow the peer.
    ///
    /// # Errors
    /// `Disconnected` when the server has closed.
    pub fn send(&self, frame: Frame) -> impl Future<Output = Result<()>> + Send + use<> {
        let to_server = self.to_server.clone();
        async move {
            let gone = || Error::new(ErrorKind::Disconnected, "the server has closed");
            to_server.ok_or_else(gone)?.send(frame).await.map_err(|_| gone())
        }
    }

    /// The next frame; `None` when the server has closed. Cancel safe.
    pub async fn recv(&mut self) -> Option<Frame> {
        self.from_server.recv().await
    }

    /// Why the server closed; there after [`recv`](Self::recv) gave `None`.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.closed.get().cloned()
    }

    /// Says goodbye: frames sent before are still handled.
    pub fn close(&mut self, code: u16, text: impl Into<String>) {
        if let Some(goodbye) = self.goodbye.take() {
            // The server may have closed in this moment.
            drop(goodbye.send(CloseReason::ClientClosed { code, text: text.into() }));
        }
        self.to_server = None;
    }
}

/// One peer, as the adapter carries it.
#[derive(Debug)]
pub struct MemoryClient {
    inbound: mpsc::Receiver<Frame>,
    outbound: mpsc::Sender<Frame>,
    closed: Arc<OnceLock<CloseReason>>,
    goodbye: oneshot::Receiver<CloseReason>,
}

fn pair() -> (MemoryPeer, MemoryClient) {
    let (to_server, inbound) = mpsc::channel(IN_FLIGHT);
    let (outbound, from_server) = mpsc::channel(IN_FLIGHT);
    let (say, goodbye) = oneshot::channel();
    let closed = Arc::new(OnceLock::new());
    let peer = MemoryPeer {
        to_server: Some(to_server),
        from_server,
        closed: Arc::clone(&closed),
        goodbye: Some(say),
    };
    (peer, MemoryClient { inbound, outbound, closed, goodbye })
}

impl WebSocketAdapter for Memory {
    type Server = mpsc::Receiver<Arrival>;
    type Client = MemoryClient;

    fn capability(&self) -> Capability {
        Capability::default()
            .with_name("memory")
            .with_binary(true)
            .with_refuses_over_http(true)
            .with_close_codes(true)
            .with_own_address(true)
    }

    async fn create(&self, _: &Options) -> Result<Self::Server> {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).take();
        arrivals.ok_or_else(|| Error::new(ErrorKind::Config, "a memory door can be opened once"))
    }

    async fn bind_client_connect(
        &self,
        mut arrivals: Self::Server,
        connect: Connect<MemoryClient>,
    ) -> Result<()> {
        loop {
            let arrival = tokio::select! {
                biased;
                () = connect.draining() => return Ok(()),
                arrival = arrivals.recv() => arrival,
            };
            let Some(Arrival { request, answer }) = arrival else {
                connect.draining().await;
                return Ok(());
            };
            let (envelope, arriving) = (Arc::clone(&self.envelope), connect.clone());
            connect.spawn(async move {
                let (peer, client) = pair();
                // Where the answer cannot be sent, the peer has given up.
                match arriving.handshake(request).await {
                    Ok(admission) => {
                        if answer.send(Ok(peer)).is_ok() {
                            admission.envelope(envelope).open(client).await;
                        }
                    }
                    Err(refusal) => drop(answer.send(Err(refusal))),
                }
            });
        }
    }

    async fn bind_message_handlers(&self, client: MemoryClient, session: Session) -> CloseReason {
        let MemoryClient { inbound, outbound, closed, goodbye } = client;
        let inbound = incoming(inbound, goodbye);
        // The peer reads the end only once the reason is there.
        let open = outbound.clone();
        let reason = session.pump(inbound, outgoing(outbound)).await;
        let reason = closed.get_or_init(|| reason).clone();
        drop(open);
        reason
    }
}

/// The peer's frames, then why there are no more.
fn incoming(
    inbound: mpsc::Receiver<Frame>,
    goodbye: oneshot::Receiver<CloseReason>,
) -> impl Stream<Item = std::result::Result<Frame, CloseReason>> + Send {
    stream::unfold((inbound, Some(goodbye)), |(mut inbound, mut goodbye)| async move {
        if let Some(frame) = inbound.recv().await {
            return Some((Ok(frame), (inbound, goodbye)));
        }
        let reason = goodbye.take()?.await.unwrap_or(CloseReason::ClientGone);
        Some((Err(reason), (inbound, goodbye)))
    })
}

fn outgoing(outbound: mpsc::Sender<Frame>) -> impl Sink<Frame, Error = ()> + Send {
    sink::unfold(outbound, |outbound, frame| async move {
        outbound.send(frame).await.map_err(|_| ())?;
        Ok(outbound)
    })
}
