//! Whole doors on loopback, and T beside them.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use narthex::{
    DecodeError, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Gateway, Incoming, Json,
    JsonEnvelope, Outgoing, Payload, Raw, Server,
    adapters::{SocketIo, Ws},
};
use serde_json::value::RawValue;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_tungstenite::{accept_async_with_config, tungstenite::protocol::WebSocketConfig};
use tower::layer::util::Identity;

use crate::{
    Result,
    loopback::{self, Asker, Client},
    talk,
};

/// Messages that are counted, and those before.
const MESSAGES: u64 = 3_200;
const WARM_UP: u64 = 320;
/// T's buffers, as in the side-by-side benchmark.
const BUFFER: usize = 4 * 1024;

/// The gateway of all paths: its echo parses the payload and writes it again.
pub(crate) fn echo() -> Gateway {
    Gateway::new().on("echo", async |Json(data): Json<Box<RawValue>>| Json(data))
}

/// Opens `server` on loopback and lets `runtime` serve it.
///
/// # Errors
///
/// When it cannot be opened.
pub(crate) fn serve(runtime: &Runtime, server: Server) -> Result<(SocketAddr, narthex::ServerHandle)> {
    let bound = runtime.block_on(server.bind(([127, 0, 0, 1], 0).into()))?;
    let (addr, handle) = (bound.local_addr()?, bound.handle());
    // The process ends with its path: nobody waits for this task.
    runtime.spawn(async move { bound.serve().await });
    Ok((addr, handle))
}

fn asked(server: Server, asker: impl FnOnce(SocketAddr) -> Result<Asker> + Send + 'static) -> Result<u64> {
    let runtime = loopback::runtime()?;
    let (addr, _) = serve(&runtime, server)?;
    loopback::count(&runtime, move || asker(addr), WARM_UP, MESSAGES)
}

fn ws(gateway: Gateway, window: u64) -> Result<u64> {
    asked(Server::new(gateway).adapter(Ws::new()), move |addr| {
        let answer = |n| Some(talk::ack(n));
        Ok(Asker { client: Client::open(addr, "/")?, window, request: talk::request, answer })
    })
}

/// The whole stack, 16 messages a write.
pub(crate) fn ws_16() -> Result<u64> {
    ws(echo(), 16)
}

/// The same through five layers that do nothing.
pub(crate) fn ws_16_layers() -> Result<u64> {
    ws((0..5).fold(echo(), |gateway, _| gateway.layer(Identity::new())), 16)
}

/// The whole stack, one message a write.
pub(crate) fn ws_1() -> Result<u64> {
    ws(echo(), 1)
}

/// No envelope: the frame comes back as it is.
pub(crate) fn raw_1() -> Result<u64> {
    let gateway = Gateway::new().on("message", async |payload: Payload| payload);
    asked(Server::new(gateway).adapter(Ws::new().envelope(Raw::default())), |addr| {
        let answer = |n| Some(talk::request(n));
        Ok(Asker { client: Client::open(addr, "/")?, window: 1, request: talk::request, answer })
    })
}

/// Frames of one write, the last of which is an echo, so that the peer knows when all were read.
const UNASKED: u64 = 160;

/// Frames that the session drops at once: what is left is the codec.
pub(crate) fn frames() -> Result<u64> {
    asked(Server::new(echo()).adapter(Ws::new().envelope(Unasked)), |addr| {
        let request = |n| if is_last(n) { talk::request(n) } else { "-".repeat(128) };
        let answer = |n| is_last(n).then(|| talk::ack(n));
        Ok(Asker { client: Client::open(addr, "/")?, window: UNASKED, request, answer })
    })
}

fn is_last(n: u64) -> bool {
    n % UNASKED == UNASKED - 1
}

/// The default envelope, but what is no JSON is the answer to a request that nobody made.
#[derive(Debug)]
struct Unasked;

impl Envelope for Unasked {
    fn name(&self) -> &'static str {
        "unasked"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::ALL
    }

    fn decode(&self, frame: &Frame, limits: &DecodeLimits) -> std::result::Result<Incoming, DecodeError> {
        match frame.payload().first() {
            Some(b'-') => Ok(Incoming::Ack { id: 0, result: Ok(Payload::Empty) }),
            _ => JsonEnvelope.decode(frame, limits),
        }
    }

    fn encode(&self, outgoing: Outgoing<'_>, buffer: &mut Vec<u8>) -> Option<FrameKind> {
        JsonEnvelope.encode(outgoing, buffer)
    }
}

fn socketio(window: u64) -> Result<u64> {
    asked(Server::new(echo()).adapter(SocketIo::new()), move |addr| {
        let mut client = Client::open(addr, "/socket.io/?EIO=4&transport=websocket")?;
        if !client.text()?.starts_with('0') {
            return Err("the engine did not open".into());
        }
        client.queue("40".to_owned())?;
        client.flush()?;
        if !client.text()?.starts_with("40") {
            return Err("the namespace did not open".into());
        }
        let answer = |n| Some(talk::ack_packet(n));
        Ok(Asker { client, window, request: talk::packet, answer })
    })
}

/// Socket.IO over a WebSocket, 10 messages a write.
pub(crate) fn socketio_10() -> Result<u64> {
    socketio(10)
}

/// The same, one message a write.
pub(crate) fn socketio_1() -> Result<u64> {
    socketio(1)
}

fn yardstick(window: u64) -> Result<u64> {
    let runtime = loopback::runtime()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let addr = listener.local_addr()?;
    // The process ends with its path: nobody waits for this task.
    runtime.spawn(async move {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let mut socket = accept_async_with_config(stream, Some(config)).await?;
        while let Some(message) = socket.next().await {
            let message = message?;
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Result::Ok(())
    });
    let asker = move || {
        let answer = |n| Some(talk::request(n));
        Ok(Asker { client: Client::open(addr, "/")?, window, request: talk::request, answer })
    };
    loopback::count(&runtime, asker, WARM_UP, MESSAGES)
}

/// T: plain tokio-tungstenite, 16 messages a write.
pub(crate) fn yardstick_16() -> Result<u64> {
    yardstick(16)
}

/// T, one message a write.
pub(crate) fn yardstick_1() -> Result<u64> {
    yardstick(1)
}
