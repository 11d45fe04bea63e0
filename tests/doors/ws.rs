//! Raw WebSocket, reached by tokio-tungstenite's client.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use futures_util::{SinkExt, StreamExt, stream};
use narthex::{Adapter, Capability, Frame, adapters::Ws};
use narthex_conformance::{Arrive, Boxed, Dial, Door, Gone, Peer, Refused, Shows};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue, Request, Response},
        protocol::{
            CloseFrame,
            frame::{
                Frame as WireFrame,
                coding::{Data, OpCode},
            },
        },
    },
};

pub(crate) struct WsDoor;

impl Door for WsDoor {
    fn shows(&self) -> Shows {
        let capability =
            Capability::default().with_binary(true).with_refuses_over_http(true).with_close_codes(true);
        Shows::new(capability).requests().address().protocol()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        (Adapter::new(Ws::new()), Box::new(WsDial))
    }
}

struct WsDial;

fn failed(error: impl std::fmt::Display) -> Refused {
    Refused { status: None, text: error.to_string() }
}

fn request(addr: SocketAddr, to: &Arrive) -> Result<Request<()>, Refused> {
    let mut request = format!("ws://{addr}{}", to.path).into_client_request().map_err(failed)?;
    for (name, value) in &to.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(failed)?;
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(failed)?);
    }
    Ok(request)
}

fn refusal(answer: &Response<Option<Vec<u8>>>) -> Refused {
    let text = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
    Refused { status: Some(answer.status().as_u16()), text }
}

impl Dial for WsDial {
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        Box::pin(async move {
            let addr = addr.ok_or_else(|| failed("the server has no address"))?;
            let request = request(addr, to)?;
            let stream = TcpStream::connect(addr).await.map_err(failed)?;
            match client_async(request, stream).await {
                Ok((stream, _)) => Ok(Box::new(Far::new(stream)) as Box<dyn Peer>),
                Err(Error::Http(answer)) => Err(refusal(&answer)),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

type Socket = WebSocketStream<TcpStream>;

struct Far {
    sink: tokio::sync::Mutex<Option<stream::SplitSink<Socket, Message>>>,
    stream: tokio::sync::Mutex<Option<stream::SplitStream<Socket>>>,
    goodbye: Mutex<Option<(u16, String)>>,
}

impl Far {
    fn new(socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        Self { sink: Some(sink).into(), stream: Some(stream).into(), goodbye: Mutex::default() }
    }

    async fn push(&self, message: Message) -> Result<(), Gone> {
        self.sink.lock().await.as_mut().ok_or(Gone)?.send(message).await.map_err(|_| Gone)
    }

    fn note(&self, frame: Option<CloseFrame>) {
        let said = frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.as_str().to_owned()));
        *self.goodbye.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }
}

impl Peer for Far {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(self.push(match frame.as_text() {
            Some(text) => Message::text(text),
            None => Message::binary(frame.payload().clone()),
        }))
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        Box::pin(async {
            let mut stream = self.stream.lock().await;
            // An error is the end too: the connection was cut.
            while let Some(Ok(message)) = stream.as_mut()?.next().await {
                match message {
                    Message::Text(text) => return Some(Frame::text(text.as_str())),
                    Message::Binary(bytes) => return Some(Frame::binary(bytes)),
                    Message::Close(frame) => self.note(frame),
                    _ => {}
                }
            }
            // The server waits for the client to close its half.
            *stream = None;
            if let Ok(mut sink) = self.sink.try_lock() {
                *sink = None;
            }
            None
        })
    }

    fn close<'a>(&'a self, code: u16, text: &'a str) -> Boxed<'a, ()> {
        Box::pin(async move {
            let frame = CloseFrame { code: code.into(), reason: text.into() };
            // The server may have closed in this moment.
            let _: Result<(), Gone> = self.push(Message::Close(Some(frame))).await;
        })
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        self.goodbye.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn offend(&self) -> Boxed<'_, Result<(), Gone>> {
        let not_utf8 = WireFrame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
        Box::pin(self.push(Message::Frame(not_utf8)))
    }

    fn abort(self: Box<Self>) {}
}
