//! A server on a free port, and a client on hyper.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use narthex_core::{
    Client, CloseReason, Denied, Gateway, Handshake, Json, Limits, Principal, Server, ServerHandle,
};
use narthex_http::{HttpConfig, HttpExt};
use narthex_sse::Sse;
use serde_json::Value;
use sse_stream::SseStream;
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle};
use tower::util::MapRequestLayer;

/// No step of a test takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A future that must not hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

pub(crate) async fn echo(Json(value): Json<Value>) -> Json<Value> {
    Json(value)
}

/// A gateway that lets in who says a name, which is then its principal.
pub(crate) fn named() -> Gateway {
    let name = MapRequestLayer::new(|mut request: Request<Empty<Bytes>>| {
        let name = request.headers().get("authorization").and_then(|name| name.to_str().ok()).map(Into::into);
        if let Some(name) = name {
            request.extensions_mut().insert(Principal(name));
        }
        request
    });
    async fn known(handshake: Handshake) -> Result<(), Denied> {
        handshake.principal().map(drop).ok_or_else(|| Denied::unauthorized("Who are you?"))
    }
    Gateway::new().handshake_layer(name).connect_guard(known).on("echo", echo)
}

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: ServerHandle,
    pub(crate) serving: JoinHandle<narthex_core::Result<()>>,
    left: mpsc::UnboundedReceiver<CloseReason>,
}

impl TestServer {
    pub(crate) async fn start(sse: Sse, gateway: Gateway) -> Self {
        Self::within(sse, gateway, Limits::default(), HttpConfig::default()).await
    }

    pub(crate) async fn within(sse: Sse, gateway: Gateway, limits: Limits, http: HttpConfig) -> Self {
        Self::with(gateway, |server| server.adapter(sse).limits(limits).http_config(http)).await
    }

    pub(crate) async fn with(gateway: Gateway, configure: impl FnOnce(Server) -> Server) -> Self {
        let (leave, left) = mpsc::unbounded_channel();
        let gateway = gateway.on_disconnect(move |reason: CloseReason| {
            let leave = leave.clone();
            async move { leave.send(reason).unwrap() }
        });
        let bound = configure(Server::new(gateway)).bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (addr, handle) = (bound.local_addr().unwrap(), bound.handle());
        Self { addr, handle, serving: tokio::spawn(bound.serve()), left }
    }

    /// Why the next client left.
    pub(crate) async fn left(&mut self) -> CloseReason {
        soon(self.left.recv()).await.unwrap()
    }

    /// Whether nobody has left so far.
    pub(crate) fn all_stay(&mut self) -> bool {
        self.left.try_recv().is_err()
    }

    /// The server's handle of the only client.
    pub(crate) fn client(&self) -> Client {
        let mut clients = self.handle.hub("/").unwrap().clients();
        assert_eq!(clients.len(), 1);
        clients.pop().unwrap()
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let socket = TcpStream::connect(self.addr).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
        // It ends with the answer's body.
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", self.addr.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        soon(sender.send_request(request)).await.unwrap()
    }

    /// One request and its whole answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let (head, body) = self.send(method, path, headers, body).await.into_parts();
        let body = soon(body.collect()).await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// An answer that must be a stream.
    pub(crate) async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Stream {
        let accepting = [headers, &[("accept", "text/event-stream")]].concat();
        let response = self.send("GET", path, &accepting, "").await;
        assert_eq!(response.status(), 200);
        let mut stream = Stream {
            headers: response.headers().clone(),
            events: SseStream::new(response.into_body()),
            opening: Value::Null,
        };
        let (name, id, data) = stream.event().await.unwrap();
        assert_eq!((name.as_str(), id), ("session", None));
        stream.opening = serde_json::from_str(&data).unwrap();
        stream
    }

    /// A fresh client.
    pub(crate) async fn join(&self) -> Stream {
        let stream = self.stream("/", &[]).await;
        assert_eq!(stream.opening["resumed"], false);
        stream
    }

    /// Posts JSON in the name of a session: the status and the body of the answer.
    pub(crate) async fn post(&self, token: &str, seq: u64, body: &str) -> (u16, String) {
        let seq = seq.to_string();
        let headers =
            [("x-narthex-session", token), ("x-narthex-seq", &seq), ("content-type", "application/json")];
        let (status, _, body) = self.ask("POST", "/", &headers, body).await;
        (status.as_u16(), body)
    }
}

/// One open stream.
pub(crate) struct Stream {
    pub(crate) headers: HeaderMap,
    pub(crate) opening: Value,
    events: SseStream<Incoming>,
}

impl Stream {
    pub(crate) fn token(&self) -> String {
        self.opening["session"].as_str().unwrap().to_owned()
    }

    /// The next event: its name, its number and its data. `None` at the end, also where it comes of a sudden.
    pub(crate) async fn event(&mut self) -> Option<(String, Option<String>, String)> {
        let event = soon(self.events.next()).await?.ok()?;
        Some((event.event.unwrap_or_default(), event.id, event.data.unwrap_or_default()))
    }

    /// The next message: its number and what it is. Pings are passed over.
    pub(crate) async fn message(&mut self) -> (u64, Value) {
        loop {
            match self.event().await {
                Some((name, ..)) if name == "ping" => {}
                Some((name, Some(id), data)) if name.is_empty() => {
                    return (id.parse().unwrap(), serde_json::from_str(&data).unwrap());
                }
                other => panic!("{other:?} is no message"),
            }
        }
    }

    /// What the server says at the end: the code and the reason, after which nothing comes.
    pub(crate) async fn goodbye(&mut self) -> (u64, String) {
        loop {
            let (name, _, data) = self.event().await.expect("the stream ended without a word");
            if name == "close" {
                let said: Value = serde_json::from_str(&data).unwrap();
                assert_eq!(self.event().await, None);
                return (said["code"].as_u64().unwrap(), said["reason"].as_str().unwrap().to_owned());
            }
        }
    }
}
