//! What silence and slowness lead to. Short times, and nothing sleeps.

use std::time::Duration;

use narthex_core::{CloseReason, Gateway, Json};
use narthex_ws::Ws;

use crate::support::{PING, TEXT, TestServer, event, frame};

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(600);

async fn echo(Json(text): Json<String>) -> String {
    text
}

fn gateway() -> Gateway {
    Gateway::new().on("echo", echo)
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_cut() {
    let ws = Ws::new().ping_interval(SHORT).ping_timeout(SHORT);
    let mut server = TestServer::start(ws, gateway()).await;
    let mut client = server.connect("/").await;
    assert_eq!(client.frame().await, (PING, Vec::new()));
    client.ends().await;
    assert_eq!(server.left().await, CloseReason::IdleTimeout);
}

#[tokio::test]
async fn any_answer_keeps_a_client() {
    let ws = Ws::new().ping_interval(SHORT).ping_timeout(LONG);
    let server = TestServer::start(ws, gateway()).await;
    let mut client = server.connect("/").await;
    for answer in
        [frame(0x8a, b""), frame(0x8a, b"unasked"), event("echo", r#""hi""#, None), frame(PING, b"")]
    {
        let mut pinged = client.frame().await;
        while pinged.0 != PING {
            pinged = client.frame().await;
        }
        client.write(&answer).await;
    }
}

#[tokio::test]
async fn a_message_that_does_not_end_ends_its_client() {
    for start in [&frame(TEXT, b"half a frame")[..9], &frame(0x01, b"a fragment"), &[TEXT]] {
        let mut server = TestServer::start(Ws::new().unfinished_timeout(SHORT), gateway()).await;
        let mut client = server.connect("/").await;
        client.write(start).await;
        assert_eq!(client.close().await.0, 1008);
        client.ends().await;
        drop(client);
        assert_eq!(server.left().await.code(), 1008);
    }
}

#[tokio::test]
async fn a_client_that_never_answers_a_close_frame_is_cut() {
    let mut server = TestServer::start(Ws::new().close_timeout(SHORT), gateway()).await;
    let mut client = server.connect("/").await;
    client.write(&frame(0xf1, b"x")).await;
    assert_eq!(server.left().await.code(), 1002);
    assert_eq!(client.close().await.0, 1002);
}
