//! Who is let in, and what the others are told.

use narthex_core::{Denied, DeniedKind, ErrorKind, Gateway, Handshake, Json, JsonEnvelope, Nest, Server};
use narthex_ws::Ws;

use crate::support::{TestServer, event, request};

async fn echo(Json(text): Json<String>) -> String {
    text
}

fn gateway() -> Gateway {
    Gateway::new().on("echo", echo)
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_a_reason() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let good = request("/", "");
    let cases = [
        (good.replace("GET", "POST"), "405", "allow: GET"),
        (good.replace("Version: 13", "Version: 8"), "426", "sec-websocket-version: 13"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), "400", "connection: close"),
        (good.replace("Sec-WebSocket-Key", "X-Key"), "400", "connection: close"),
        (request("/nowhere", "Connection: close\r\n"), "404", "connection: close"),
        (request("/", "Origin: https://evil.example\r\n"), "403", "connection: close"),
        (request("/", "Origin: null\r\n"), "403", "connection: close"),
    ];
    for (request, status, header) in cases {
        let answer = server.answer(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}\n{answer}");
        assert!(answer.to_ascii_lowercase().contains(&header.to_ascii_lowercase()), "{request}\n{answer}");
    }
}

#[tokio::test]
async fn a_page_of_the_same_origin_comes_in() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut client = server.begin(&request("/", "Origin: https://here.example\r\n")).await;
    let head = client.read_head().await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    assert!(!head.contains("sec-websocket-protocol"), "{head}");
}

#[tokio::test]
async fn a_guard_refuses_with_its_own_answer() {
    async fn guard(handshake: Handshake) -> Result<(), Denied> {
        match handshake.header("authorization").is_some() {
            true => Ok(()),
            false => Err(Denied::new(DeniedKind::Unauthorized, "who are you?")),
        }
    }
    let server = TestServer::start(Ws::new(), gateway().connect_guard(guard)).await;
    let answer = server.answer(&request("/", "")).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("who are you?"), "{answer}");
    let mut client = server.begin(&request("/", "Authorization: yes\r\n")).await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 101"));
}

#[tokio::test]
async fn the_sub_protocol_is_one_that_was_offered_or_none() {
    let server = TestServer::start(Ws::new().envelope(JsonEnvelope).envelope(Nest), gateway()).await;
    for (offer, named) in [
        ("", None),
        ("Sec-WebSocket-Protocol: chat, v2\r\n", None),
        ("Sec-WebSocket-Protocol: chat, nest\r\n", Some("nest")),
        ("Sec-WebSocket-Protocol: narthex.json\r\n", Some("narthex.json")),
    ] {
        let mut client = server.begin(&request("/", offer)).await;
        let head = client.read_head().await;
        let line = head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(line, named, "{head}");
        client.write(&event("echo", r#""hi""#, Some(1))).await;
        let reply = client.text().await;
        assert_eq!(reply.contains(r#""ack":1"#), named != Some("nest"), "{reply}");
    }
}

#[tokio::test]
async fn a_mounted_path_leads_to_its_namespace() {
    let game = gateway().namespace("/game/{id}");
    let server = TestServer::start(Ws::new().mount("/ws/{id}/play", "/game/{id}"), game).await;
    let mut client = server.connect("/ws/7/play?x=1").await;
    client.write(&event("echo", r#""hi""#, Some(1))).await;
    assert_eq!(client.text().await, r#"{"ack":1,"data":"hi"}"#);
    assert!(server.answer(&request("/game/7", "Connection: close\r\n")).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn what_comes_with_the_handshake_is_the_first_message() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut early = request("/", "").into_bytes();
    early.extend(event("echo", r#""early""#, Some(1)));
    let mut client = server.begin_with(&early).await;
    client.read_head().await;
    assert_eq!(client.text().await, r#"{"ack":1,"data":"early"}"#);
}

#[tokio::test]
async fn a_namespace_that_no_request_can_name_is_refused_at_start_and_not_taken_for_another() {
    let server = Server::new(gateway()).adapter(Ws::new().mount("/ws", "/a b"));
    let error = server.bind(([127, 0, 0, 1], 0).into()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("/a b"), "{error}");
}
