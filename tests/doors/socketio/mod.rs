//! Socket.IO over WebSocket, reached by a small client: socket.io-protocol v5 on engine.io-protocol v4.

mod packets;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use narthex::{Adapter, Capability, Frame, adapters::SocketIo};
use narthex_conformance::{Arrive, Boxed, Dial, Door, Gone, Peer, Refused, Shows};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue, Request},
    },
};

use self::packets::{Packet, Packets};

pub(crate) struct SocketIoDoor;

impl Door for SocketIoDoor {
    fn shows(&self) -> Shows {
        // Refusals are CONNECT_ERROR packets, and a goodbye has neither a code nor a reason. The engine reads a packet's
        // whole array before an adapter sees it, and ends a connection for one that it cannot read, as the protocol's own
        // suite demands. An error answers as a value.
        let capability = Capability::default().with_binary(true);
        Shows::new(capability).requests().address().protocol().without_malformed().without_error_bodies()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        (Adapter::new(SocketIo::new()), Box::new(SocketIoDial))
    }
}

struct SocketIoDial;

fn failed(error: impl std::fmt::Display) -> Refused {
    Refused { status: None, text: error.to_string() }
}

/// The engine's request and the namespace: the query goes with the former.
fn request(addr: SocketAddr, to: &Arrive) -> Result<(Request<()>, String), Refused> {
    let (namespace, query) = to.path.split_once('?').unwrap_or((&to.path, ""));
    let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket&{query}");
    let mut request = url.trim_end_matches('&').into_client_request().map_err(failed)?;
    for (name, value) in &to.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(failed)?;
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(failed)?);
    }
    // Namespaces are plain text, and the suite's paths know one escape.
    Ok((request, namespace.replace("%20", " ")))
}

impl Dial for SocketIoDial {
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        Box::pin(async move {
            let addr = addr.ok_or_else(|| failed("the server has no address"))?;
            let (request, namespace) = request(addr, to)?;
            let stream = TcpStream::connect(addr).await.map_err(failed)?;
            let mut socket = match client_async(request, stream).await {
                Ok((socket, _)) => socket,
                Err(Error::Http(answer)) => {
                    return Err(Refused { status: Some(answer.status().as_u16()), ..failed("refused") });
                }
                Err(error) => return Err(failed(error)),
            };
            match socket.next().await {
                Some(Ok(Message::Text(open))) if open.starts_with('0') => {}
                other => return Err(failed(format!("{other:?} is no open packet"))),
            }
            let packets = Packets::of(&namespace);
            socket.send(Message::text(format!("4{}", packets.connect()))).await.map_err(failed)?;
            Ok(Box::new(Far::new(socket, packets)) as Box<dyn Peer>)
        })
    }
}

type Socket = WebSocketStream<TcpStream>;

/// What goes out. As official clients do, nothing is sent before CONNECT is answered.
struct Out {
    sink: Option<stream::SplitSink<Socket, Message>>,
    connected: bool,
    waiting: VecDeque<Message>,
}

impl Out {
    async fn flush(&mut self) -> Result<(), Gone> {
        let sink = self.sink.as_mut().ok_or(Gone)?;
        // Cut off between two messages, the next flush goes on.
        while let Some(message) = self.waiting.front() {
            sink.feed(message.clone()).await.map_err(|_| Gone)?;
            self.waiting.pop_front();
        }
        sink.flush().await.map_err(|_| Gone)
    }

    async fn pong(&mut self) -> Result<(), Gone> {
        self.sink.as_mut().ok_or(Gone)?.send(Message::text("3")).await.map_err(|_| Gone)
    }
}

/// What comes in.
struct In {
    stream: stream::SplitStream<Socket>,
    /// A packet whose attachments are on their way.
    begun: Option<(String, Vec<Bytes>)>,
    /// What waits in `Out` must leave before more is read.
    owed: bool,
}

struct Far {
    packets: Packets,
    out: tokio::sync::Mutex<Out>,
    input: tokio::sync::Mutex<Option<In>>,
    refusal: Mutex<Option<String>>,
}

/// What the next message of the server means for the peer.
enum Step {
    Frame(Frame),
    Nothing,
    End,
}

impl Far {
    fn new(socket: Socket, packets: Packets) -> Self {
        let (sink, stream) = socket.split();
        Self {
            packets,
            out: Out { sink: Some(sink), connected: false, waiting: VecDeque::new() }.into(),
            input: Some(In { stream, begun: None, owed: false }).into(),
            refusal: Mutex::default(),
        }
    }

    async fn push(&self, messages: impl IntoIterator<Item = Message>) -> Result<(), Gone> {
        let mut out = self.out.lock().await;
        out.waiting.extend(messages);
        match (&out.sink, out.connected) {
            (None, _) => Err(Gone),
            (_, false) => Ok(()),
            (_, true) => out.flush().await,
        }
    }

    fn packet(&self, input: &mut In, text: String, attachments: Vec<Bytes>) -> Step {
        if Packets::attachments(&text) > attachments.len() {
            input.begun = Some((text, attachments));
            return Step::Nothing;
        }
        self.packets.read(&text, attachments).map_or(Step::Nothing, Step::Frame)
    }

    async fn step(&self, input: &mut In) -> Step {
        if input.owed {
            // Where it fails, reading says so.
            let _: Result<(), Gone> = self.out.lock().await.flush().await;
            input.owed = false;
        }
        let text = match input.stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(bytes))) => {
                let Some((text, mut attachments)) = input.begun.take() else { return Step::Nothing };
                attachments.push(bytes);
                return self.packet(input, text, attachments);
            }
            Some(Ok(_)) => return Step::Nothing,
            // An error is the end too: the connection was cut.
            Some(Err(_)) | None => return Step::End,
        };
        match (text.as_str(), text.strip_prefix('4')) {
            ("2", _) => {
                // Where it fails, reading says so.
                let _: Result<(), Gone> = self.out.lock().await.pong().await;
                Step::Nothing
            }
            (_, Some(connect)) if connect.starts_with('0') => {
                self.out.lock().await.connected = true;
                input.owed = true;
                Step::Nothing
            }
            (_, Some(refused)) if refused.starts_with('4') => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = self.packets.refusal(refused);
                Step::End
            }
            (_, Some(left)) if left.starts_with('1') => Step::End,
            (_, Some(packet)) => self.packet(input, packet.to_owned(), Vec::new()),
            _ => Step::Nothing,
        }
    }
}

impl Peer for Far {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        let Packet { text, attachments } = self.packets.write(&frame);
        let text = Message::text(format!("4{text}"));
        Box::pin(self.push(std::iter::once(text).chain(attachments.into_iter().map(Message::binary))))
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        Box::pin(async {
            let mut input = self.input.lock().await;
            loop {
                match self.step(input.as_mut()?).await {
                    Step::Frame(frame) => return Some(frame),
                    Step::Nothing => {}
                    Step::End => break,
                }
            }
            // A real client closes a connection that no namespace is left on.
            *input = None;
            if let Ok(mut out) = self.out.try_lock() {
                out.sink = None;
            }
            None
        })
    }

    fn close<'a>(&'a self, _: u16, _: &'a str) -> Boxed<'a, ()> {
        let goodbye = Message::text(format!("4{}", self.packets.disconnect()));
        // The server may have closed in this moment.
        Box::pin(async move {
            let _: Result<(), Gone> = self.push([goodbye]).await;
        })
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        // 1005: there was no code (RFC 6455 section 7.1.5).
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((1005, refusal))
    }

    fn offend(&self) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(self.push([Message::text("4abc")]))
    }

    fn abort(self: Box<Self>) {}
}
