use std::time::Duration;

use narthex_core::{CloseReason, Gateway};
use narthex_sse::Sse;
use serde_json::json;

use crate::support::{Stream, TestServer, echo, named};

async fn back(server: &TestServer, token: &str, last: &str) -> Stream {
    server.stream("/", &[("x-narthex-session", token), ("last-event-id", last)]).await
}

async fn refused(server: &TestServer, headers: &[(&str, &str)]) -> u16 {
    let headers = [headers, &[("accept", "text/event-stream")]].concat();
    server.ask("GET", "/", &headers, "").await.0.as_u16()
}

#[tokio::test]
async fn a_stream_that_breaks_is_gone_on_with_and_nothing_is_lost_or_comes_twice() {
    let mut server = TestServer::start(Sse::new(), Gateway::new().on("echo", echo)).await;
    let mut stream = server.join().await;
    let (token, client) = (stream.token(), server.client());
    client.join("tea").unwrap();
    let (mut sent, mut seen) = (0_u64, 0_u64);
    for round in 0..5 {
        for _ in 0..20 {
            sent += 1;
            client.emit("n", &sent).unwrap();
        }
        // It breaks somewhere in the middle.
        for _ in 0..(7 + round) {
            seen += 1;
            assert_eq!(stream.message().await, (seen, json!({"event": "n", "data": seen})));
        }
        drop(stream);
        sent += 1;
        client.hub().to("tea").emit("n", &sent).unwrap();
        stream = back(&server, &token, &seen.to_string()).await;
        assert_eq!((&stream.opening["resumed"], stream.token()), (&json!(true), token.clone()));
    }
    while seen < sent {
        seen += 1;
        assert_eq!(stream.message().await, (seen, json!({"event": "n", "data": seen})));
    }
    assert_eq!((server.client(), server.all_stay()), (client, true));
}

#[tokio::test]
async fn a_client_without_a_stream_may_still_send_and_learns_what_was_received() {
    let server = TestServer::start(Sse::new(), Gateway::new().on("echo", echo)).await;
    let stream = server.join().await;
    let token = stream.token();
    drop(stream);
    assert_eq!(server.post(&token, 1, r#"{"event":"echo","data":1,"id":1}"#).await.0, 200);
    let mut stream = back(&server, &token, "0").await;
    assert_eq!(stream.opening["seq"], 1);
    assert_eq!(stream.message().await, (1, json!({"ack": 1, "data": 1})));
}

#[tokio::test]
async fn a_second_stream_takes_over_and_the_first_is_told() {
    let server = TestServer::start(Sse::new(), Gateway::new()).await;
    let mut first = server.join().await;
    let mut second = back(&server, &first.token(), "0").await;
    assert_eq!(first.goodbye().await, (4409, "another stream has taken over".to_owned()));
    server.client().emit("n", &1).unwrap();
    assert_eq!(second.message().await.0, 1);
}

#[tokio::test]
async fn what_cannot_be_gone_on_with_is_said_and_is_never_a_fresh_session() {
    let server = TestServer::start(Sse::new().ring(2, 1024), Gateway::new()).await;
    let mut stream = server.join().await;
    let token = stream.token();
    for n in 1..=5 {
        server.client().emit("n", &n).unwrap();
        stream.message().await;
    }
    let session = ("x-narthex-session", token.as_str());
    // Forgotten, never sent, no number, no session.
    assert_eq!(refused(&server, &[session, ("last-event-id", "1")]).await, 410);
    assert_eq!(refused(&server, &[session, ("last-event-id", "6")]).await, 410);
    assert_eq!(refused(&server, &[session, ("last-event-id", "x")]).await, 400);
    assert_eq!(refused(&server, &[("last-event-id", "3")]).await, 404);
    // The stream that is there has not suffered.
    server.client().emit("n", &6).unwrap();
    assert_eq!(stream.message().await.0, 6);
    assert_eq!(server.handle.stats().clients, 1);
}

#[tokio::test]
async fn on_disconnect_runs_once_the_grace_time_is_over_and_the_token_opens_nothing_more() {
    let sse = Sse::new().grace(Duration::from_millis(200));
    let mut server = TestServer::start(sse, Gateway::new()).await;
    let stream = server.join().await;
    let token = stream.token();
    drop(stream);
    let again = back(&server, &token, "0").await;
    assert!(server.all_stay());
    drop(again);
    assert_eq!(server.left().await, CloseReason::ClientGone);
    assert_eq!(refused(&server, &[("x-narthex-session", &token)]).await, 404);
    assert_eq!(server.post(&token, 1, "[]").await.0, 404);
}

#[tokio::test]
async fn the_handshake_is_judged_again_and_nobody_else_goes_on() {
    let server = TestServer::start(Sse::new(), named()).await;
    let ada = ("authorization", "Ada");
    let stream = server.stream("/", &[ada]).await;
    let token = stream.token();
    let session = ("x-narthex-session", token.as_str());
    assert_eq!(refused(&server, &[session]).await, 401);
    assert_eq!(refused(&server, &[session, ("authorization", "Eve")]).await, 403);
    let again = server.stream("/", &[ada, session]).await;
    assert_eq!(again.opening["resumed"], true);
    assert_eq!(server.handle.stats().clients, 1);
}

#[tokio::test]
async fn a_public_id_and_a_foreign_secret_open_nothing_and_nobody_learns_which_was_wrong() {
    let server = TestServer::start(Sse::new(), Gateway::new().on("echo", echo)).await;
    let (mine, mut theirs) = (server.join().await, server.join().await);
    let (mine, token) = (mine.token(), theirs.token());
    let ((_, my_secret), (their_id, _)) = (mine.split_once('.').unwrap(), token.split_once('.').unwrap());
    let nobody = narthex_core::ClientId::to_string(&server.handle.hub("/").unwrap().clients()[0].id());
    let guesses = [
        format!("{their_id}.{my_secret}"),
        their_id.to_owned(),
        format!("{their_id}."),
        format!("{their_id}.{}", "A".repeat(22)),
        format!("00000000-0000-7000-8000-000000000000.{my_secret}"),
        format!("{nobody}{my_secret}"),
        String::new(),
    ];
    for guess in &guesses {
        let session = ("x-narthex-session", guess.as_str());
        let seq = ("x-narthex-seq", "1");
        let json = ("content-type", "application/json");
        for (method, path) in [("POST", "/"), ("GET", "/"), ("DELETE", "/"), ("POST", "/ticket")] {
            let (status, _, body) = server.ask(method, path, &[session, seq, json], "[]").await;
            assert_eq!((status.as_u16(), body.as_str()), (404, "Unknown session"), "{method} {guess}");
        }
    }
    let twice = [("x-narthex-session", token.as_str()), ("x-narthex-session", token.as_str())];
    assert_eq!(server.ask("DELETE", "/", &twice, "").await.0, 404);
    assert_eq!(server.post(&token, 1, r#"{"event":"echo","id":1}"#).await.0, 200);
    assert_eq!(theirs.message().await.1["ack"], 1);
}
