//! A carrier over TLS, which keeps bytes back that a socket does not take.

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use axum::{Router, extract::Request};
use http::{HeaderValue, Response, StatusCode, header};
use narthex_core::{BoundServer, Gateway, Server};
use narthex_http::{HttpExt, TlsConfig, upgrade};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: any\r\n\r\n";

/// A server that hands its upgraded connections out, and what a client needs to trust it.
async fn server() -> (BoundServer, mpsc::Receiver<UpgradedIo>, TlsConnector) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
    let (sender, receiver) = mpsc::channel(1);
    let switch = move |mut request: Request| {
        let (upgrading, sender) = (upgrade(&mut request), sender.clone());
        tokio::spawn(async move { sender.send(upgrading.await.unwrap()).await });
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("any"));
        async { response }
    };
    let server = Server::new(Gateway::new()).http(Router::new().fallback(switch)).tls(tls);

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let client = client.with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let bound = server.bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    (bound, receiver, TlsConnector::from(Arc::new(client)))
}

async fn connect(server: &BoundServer, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut peer = connector.connect(name, stream).await.unwrap();
    peer.write_all(REQUEST).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.read_u8().await.unwrap());
    }
    peer
}

#[tokio::test]
async fn bytes_that_the_stream_keeps_back_still_wait_and_leave_without_another_write() {
    let (server, mut upgraded, connector) = server().await;
    let mut peer = connect(&server, &connector).await;
    let client = WsClient::new(upgraded.recv().await.unwrap(), Arc::default());
    let mut socket = client.line.take().unwrap();
    let (mut cx, mut written) = (Context::from_waker(Waker::noop()), 0);
    loop {
        let mut output = vec![7; 1024];
        written += output.len();
        let (_, waits) = socket.flush(&mut cx, &mut output).unwrap();
        if waits && socket.queue.is_empty() {
            break;
        }
        assert!(socket.queue.is_empty(), "the socket was full, and nobody said so");
        // Lets the kernel take note of what the peer's side has taken.
        tokio::task::yield_now().await;
    }
    let flushing = poll_fn(|cx| match socket.flush(cx, &mut Vec::new()) {
        Ok((_, true)) => Poll::Pending,
        flushed => Poll::Ready(flushed.unwrap()),
    });
    let reading = async {
        let mut all = vec![0; written];
        peer.read_exact(&mut all).await.unwrap();
    };
    tokio::join!(flushing, reading);
}
