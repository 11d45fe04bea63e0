//! How connections end, and what the client reads of it.

use std::time::Duration;

use futures_util::future::join_all;
use narthex_core::{Client, CloseReason, Gateway, Json};
use narthex_ws::Ws;

use crate::support::{CLOSE, TEXT, TestServer, event, frame, soon};

async fn echo(Json(text): Json<String>) -> String {
    text
}

fn gateway() -> Gateway {
    Gateway::new().on("echo", echo)
}

#[tokio::test]
async fn the_code_of_a_violation_is_read_although_input_is_left_unread() {
    let mut server = TestServer::start(Ws::new(), gateway()).await;
    let not_minimal = [&[0x82, 0xfe, 0, 5, 1, 2, 3, 4][..], &[0; 5]].concat();
    let cases = [
        (frame(0xc1, b"x"), 1002),
        (frame(0x83, b"x"), 1002),
        (vec![0x81, 0x02, b'h', b'i'], 1002),
        (not_minimal, 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, &1005_u16.to_be_bytes()), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, &vec![b'x'; 64 * 1024 + 1]), 1009),
    ];
    let mut codes: Vec<u16> = cases.iter().map(|(_, code)| *code).collect();
    let clients = cases.map(|(mut bytes, code)| {
        let server = &server;
        async move {
            let mut client = server.connect("/").await;
            let start = bytes[..bytes.len().min(16)].to_vec();
            bytes.extend(vec![0xa5; 300 * 1024]);
            client.write(&bytes).await;
            assert_eq!(client.close().await.0, code, "{start:?}");
            client.ends().await;
        }
    });
    join_all(clients).await;
    let mut left = Vec::new();
    while left.len() < codes.len() {
        left.push(server.left().await.code());
    }
    left.sort_unstable();
    codes.sort_unstable();
    assert_eq!(left, codes);
}

#[tokio::test]
async fn what_came_before_a_violation_is_still_answered() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut client = server.connect("/").await;
    client.write(&[event("echo", r#""last""#, Some(1)), frame(0xf1, b"x")].concat()).await;
    assert_eq!(client.text().await, r#"{"ack":1,"data":"last"}"#);
    assert_eq!(client.close().await.0, 1002);
}

#[tokio::test]
async fn too_many_fragments_end_the_client() {
    let server = TestServer::start(Ws::new().max_fragments(3), gateway()).await;
    let fragments = |count: usize| {
        let mut bytes = frame(0x01, br#"{"event":"echo","data":"#);
        (2..count).for_each(|_| bytes.extend(frame(0x00, b" ")));
        bytes.extend(frame(0x80, br#""x","id":1}"#));
        bytes
    };
    let mut client = server.connect("/").await;
    client.write(&fragments(3)).await;
    assert_eq!(client.text().await, r#"{"ack":1,"data":"x"}"#);
    client.write(&fragments(4)).await;
    assert_eq!(client.close().await.0, 1008);
}

#[tokio::test]
async fn a_client_that_closes_is_echoed_and_let_go() {
    let mut server = TestServer::start(Ws::new(), gateway()).await;
    for (body, code, text) in [(&b"\x03\xe8bye"[..], 1000, "bye"), (b"\x13\x87", 4999, ""), (b"", 1005, "")] {
        let mut client = server.connect("/").await;
        client.write(&frame(CLOSE, body)).await;
        assert_eq!(client.frame().await, (CLOSE, body.to_vec()));
        client.ends().await;
        assert_eq!(server.left().await, CloseReason::ClientClosed { code, text: text.to_owned() });
    }
}

#[tokio::test]
async fn a_client_that_vanishes_is_gone() {
    let mut server = TestServer::start(Ws::new(), gateway()).await;
    let client = server.connect("/").await;
    drop(client);
    assert_eq!(server.left().await, CloseReason::ClientGone);
}

#[tokio::test]
async fn the_servers_close_code_waits_for_the_clients_answer() {
    async fn kick(client: Client) {
        client.disconnect(4000, "enough");
    }
    let mut server =
        TestServer::start(Ws::new().close_timeout(Duration::from_secs(60)), gateway().on("kick", kick)).await;
    let mut client = server.connect("/").await;
    client.write(&[event("echo", r#""a""#, Some(1)), event("kick", "null", None)].concat()).await;
    assert_eq!(client.text().await, r#"{"ack":1,"data":"a"}"#);
    assert_eq!(client.close().await, (4000, "enough".to_owned()));
    // What was on its way is skipped, the answer is not.
    client
        .write(&[event("echo", r#""late""#, Some(2)), frame(CLOSE, &4000_u16.to_be_bytes())].concat())
        .await;
    client.ends().await;
    drop(client);
    assert_eq!(server.left().await, CloseReason::disconnected(4000, "enough"));
}

#[tokio::test]
async fn a_drain_says_going_away() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut clients = [server.connect("/").await, server.connect("/").await];
    server.handle.stop();
    for client in &mut clients {
        assert_eq!(client.close().await.0, 1001);
        client.write(&frame(CLOSE, &1001_u16.to_be_bytes())).await;
        client.ends().await;
    }
    drop(clients);
    soon(server.serving).await.unwrap().unwrap();
}
