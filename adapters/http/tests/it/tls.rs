use std::{sync::Arc, time::Duration};

use axum::{Router, routing};
use narthex_http::{HttpConfig, HttpExt, TlsConfig};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{PATIENCE, Running};

/// A server of one page behind TLS, and what a client needs to trust it.
async fn secure(config: HttpConfig) -> (Running, TlsConnector) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
    let page = Router::new().route("/", routing::get("page"));
    let server = Running::start(|server| server.http(page).http_config(config).tls(tls)).await;

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let client = client.with_safe_default_protocol_versions().unwrap();
    let mut client = client.with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (server, TlsConnector::from(Arc::new(client)))
}

async fn connect(server: &Running, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    timeout(PATIENCE, connector.connect(name, stream)).await.unwrap().unwrap()
}

async fn get(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_page_is_served_over_tls_and_the_end_is_told() {
    let (server, connector) = secure(HttpConfig::default()).await;
    let mut stream = connect(&server, &connector).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    // An end without TLS's own close would be an error here.
    assert!(get(&mut stream).await.ends_with("page"));
}

#[tokio::test]
async fn a_plain_request_is_closed_and_harms_nobody() {
    let (server, connector) = secure(HttpConfig::default().connections(1)).await;
    let mut plain = server.peer().await;
    plain.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut answer = Vec::new();
    // It is closed, with an alert of TLS or a reset.
    let _: std::io::Result<usize> = timeout(PATIENCE, plain.0.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut stream = connect(&server, &connector).await;
    assert!(get(&mut stream).await.ends_with("page"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_released() {
    let config = HttpConfig::default().connections(1).head_timeout(Duration::from_millis(50));
    let (server, connector) = secure(config).await;
    assert_eq!(server.peer().await.rest().await, "");
    connect(&server, &connector).await;
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_handshake() {
    let (server, _) = secure(HttpConfig::default()).await;
    let mut silent = server.peer().await;
    server.handle.stop();
    assert_eq!(silent.rest().await, "");
    timeout(PATIENCE, server.served).await.unwrap().unwrap().unwrap();
}
