//! The door inside of a user's own axum application.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use futures_util::{SinkExt, StreamExt};
use narthex_core::{CloseReason, Gateway, Json, Server};
use narthex_http::{GatewayService, HttpExt};
use narthex_ws::Ws;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, open, soon};

struct Nested {
    addr: SocketAddr,
    service: GatewayService,
    left: mpsc::UnboundedReceiver<CloseReason>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Drop for Nested {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn nested() -> Nested {
    let (leave, left) = mpsc::unbounded_channel();
    let gateway = Gateway::new()
        .namespace("/chat")
        .on("echo", |Json(text): Json<String>| async move { text })
        .on_disconnect(move |reason: CloseReason| {
            let leave = leave.clone();
            async move { leave.send(reason).unwrap() }
        });
    let service = Server::new(gateway).adapter(Ws::new()).into_service().await.unwrap();
    let app = Router::new().route("/", get("home")).nest_service("/rt", service.clone());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    Nested { addr, service, left, serving: tokio::spawn(axum::serve(listener, app).into_future()) }
}

impl Nested {
    async fn connect(&self, path: &str) -> Result<Socket, u16> {
        open(self.addr, path).await
    }
}

async fn ask(socket: &mut Socket, text: &str) -> String {
    socket.send(Message::text(format!(r#"{{"event":"echo","data":{text:?},"id":1}}"#))).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap().into_text().unwrap().to_string()
}

#[tokio::test]
async fn a_client_comes_in_under_the_prefix_and_nowhere_else() {
    let server = nested().await;
    let mut socket = server.connect("/rt/chat").await.unwrap();
    assert_eq!(ask(&mut socket, "hi").await, r#"{"ack":1,"data":"hi"}"#);
    assert_eq!(server.connect("/chat").await.unwrap_err(), 404);
    assert_eq!(server.connect("/rt/none").await.unwrap_err(), 404);
    assert_eq!(server.connect("/").await.unwrap_err(), 200);
}

#[tokio::test]
async fn more_than_the_stream_takes_at_once_arrives_whole() {
    let server = nested().await;
    let mut socket = server.connect("/rt/chat").await.unwrap();
    let long = "x".repeat(60_000);
    for _ in 0..20 {
        assert_eq!(ask(&mut socket, &long).await, format!(r#"{{"ack":1,"data":"{long}"}}"#));
    }
}

#[tokio::test]
async fn who_leaves_is_gone() {
    let mut server = nested().await;
    drop(server.connect("/rt/chat").await.unwrap());
    assert_eq!(soon(server.left.recv()).await.unwrap(), CloseReason::ClientGone);
}

#[tokio::test]
async fn a_drain_closes_with_1001_and_then_nobody_comes_in() {
    let mut server = nested().await;
    let mut socket = server.connect("/rt/chat").await.unwrap();
    // It is open before the drain begins.
    assert_eq!(ask(&mut socket, "hi").await, r#"{"ack":1,"data":"hi"}"#);
    let (drained, last) = tokio::join!(soon(server.service.drain()), soon(socket.next()));
    drained.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = last else { panic!("{last:?}") };
    assert_eq!(u16::from(frame.code), 1001);
    assert_eq!(soon(server.left.recv()).await.unwrap(), CloseReason::Draining);
    assert_eq!(server.connect("/rt/chat").await.unwrap_err(), 503);
    assert_eq!(server.connect("/").await.unwrap_err(), 200);
}

#[tokio::test]
async fn a_gateway_keeps_an_address_of_its_own_beside_the_service() {
    let own = Gateway::new().namespace("/own").listen(([127, 0, 0, 1], 0));
    let server = Server::new(Gateway::new()).gateway(own).adapter(Ws::new());
    let service = server.into_service().await.unwrap();
    let addr = service.handle().local_addr_of("/own").unwrap();
    assert_eq!(service.handle().local_addrs(), [addr]);
    open(addr, "/own").await.unwrap();
    assert_eq!(open(addr, "/").await.unwrap_err(), 404);
}
