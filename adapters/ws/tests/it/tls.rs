//! The door over TLS.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use narthex_core::{BoundServer, CloseReason, Gateway, Json, Server};
use narthex_http::{HttpExt, TlsConfig};
use narthex_ws::Ws;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::support::soon;

/// A server behind TLS, what a client needs to trust it, and why clients leave.
async fn secure(ws: Ws) -> (BoundServer, TlsConnector, mpsc::UnboundedReceiver<CloseReason>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
    let (leave, left) = mpsc::unbounded_channel();
    let gateway = Gateway::new().on("echo", |Json(text): Json<String>| async move { text }).on_disconnect(
        move |reason: CloseReason| {
            let leave = leave.clone();
            async move { leave.send(reason).unwrap() }
        },
    );
    let server = Server::new(gateway).adapter(ws).tls(tls).bind(([127, 0, 0, 1], 0).into()).await.unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let client = client.with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    (server, TlsConnector::from(Arc::new(client)), left)
}

async fn connect(server: &BoundServer, connector: &TlsConnector) -> WebSocketStream<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = soon(connector.connect(name, stream)).await.unwrap();
    soon(client_async("wss://localhost/", stream)).await.unwrap().0
}

fn echo(text: &str) -> Message {
    Message::text(format!(r#"{{"event":"echo","data":"{text}","id":1}}"#))
}

#[tokio::test]
async fn a_message_of_many_records_is_echoed_whole() {
    let (server, connector, _left) = secure(Ws::new()).await;
    let mut socket = connect(&server, &connector).await;
    for text in ["hi", &"x".repeat(60_000), "bye"] {
        socket.send(echo(text)).await.unwrap();
        let answer = soon(socket.next()).await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap(), format!(r#"{{"ack":1,"data":"{text}"}}"#));
    }
}

#[tokio::test]
async fn answers_that_wait_for_the_peer_leave_once_it_reads() {
    const ASKED: usize = 200;
    let (server, connector, _left) = secure(Ws::new()).await;
    let socket = connect(&server, &connector).await;
    let text = "x".repeat(40_000);
    // Far more than the sockets hold: both sides wait for each other unless reading goes on beside writing.
    let (mut write, mut read) = socket.split();
    let writing = async {
        for _ in 0..ASKED {
            write.send(echo(&text)).await.unwrap();
        }
    };
    let reading = async {
        for _ in 0..ASKED {
            assert!(read.next().await.unwrap().unwrap().len() > text.len());
        }
    };
    soon(async { tokio::join!(writing, reading) }).await;
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_let_go() {
    let deadline = std::time::Duration::from_millis(100);
    let (server, connector, mut left) = secure(Ws::new().write_deadline(deadline)).await;
    let mut socket = connect(&server, &connector).await;
    let text = "x".repeat(40_000);
    let flooding = async {
        loop {
            if socket.send(echo(&text)).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let reason = tokio::select! {
        reason = soon(left.recv()) => reason,
        () = flooding => None,
    };
    assert_eq!(reason, Some(CloseReason::WriteTimeout));
}

#[tokio::test]
async fn a_drain_says_1001_over_tls_too() {
    let (server, connector, _left) = secure(Ws::new()).await;
    let mut socket = connect(&server, &connector).await;
    socket.send(echo("hi")).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap();
    let (drained, last) = tokio::join!(soon(server.drain()), soon(socket.next()));
    drained.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = last else { panic!("{last:?}") };
    assert_eq!(u16::from(frame.code), 1001);
}
