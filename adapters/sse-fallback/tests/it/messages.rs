use std::time::Duration;

use bytes::Bytes;
use narthex_core::{Gateway, Limits, Payload};
use narthex_http::HttpConfig;
use narthex_sse::Sse;
use serde_json::json;

use crate::support::{TestServer, echo};

async fn reverse(bytes: Bytes) -> Payload {
    Payload::Binary(bytes.iter().rev().copied().collect())
}

fn gateway() -> Gateway {
    Gateway::new().on("echo", echo).on("reverse", reverse)
}

fn asks(id: u64) -> String {
    format!(r#"{{"event":"echo","data":{id},"id":{id}}}"#)
}

#[tokio::test]
async fn one_message_or_many_are_answered_on_the_stream_in_order() {
    let server = TestServer::start(Sse::new(), gateway()).await;
    let mut stream = server.join().await;
    let token = stream.token();
    assert_eq!(server.post(&token, 1, &asks(1)).await, (200, r#"{"seq":1}"#.to_owned()));
    let many = format!("[{},{}]", asks(2), asks(3));
    assert_eq!(server.post(&token, 2, &many).await, (200, r#"{"seq":3}"#.to_owned()));
    let lines = format!("{}\n{}\r\n\n", asks(4), asks(5));
    let headers = [
        ("x-narthex-session", token.as_str()),
        ("x-narthex-seq", "4"),
        ("content-type", "application/x-ndjson"),
    ];
    let (status, headers, body) = server.ask("POST", "/", &headers, &lines).await;
    assert_eq!((status.as_u16(), body.as_str()), (200, r#"{"seq":5}"#));
    assert_eq!(headers["content-type"], "application/json");
    for n in 1..=5_u64 {
        assert_eq!(stream.message().await, (n, json!({"ack": n, "data": n})));
    }
}

#[tokio::test]
async fn what_comes_twice_is_dropped_and_a_gap_is_refused_with_the_number_that_is_expected() {
    let server = TestServer::start(Sse::new(), gateway()).await;
    let mut stream = server.join().await;
    let token = stream.token();
    assert_eq!(server.post(&token, 2, &asks(9)).await, (409, r#"{"expect":1}"#.to_owned()));
    assert_eq!(server.post(&token, 1, &asks(1)).await.0, 200);
    assert_eq!(server.post(&token, 1, &asks(1)).await, (200, r#"{"seq":1}"#.to_owned()));
    // The first is known, the second is new.
    let both = format!("[{},{}]", asks(1), asks(2));
    assert_eq!(server.post(&token, 1, &both).await, (200, r#"{"seq":2}"#.to_owned()));
    assert_eq!(server.post(&token, 4, &asks(9)).await, (409, r#"{"expect":3}"#.to_owned()));
    server.post(&token, 3, &asks(3)).await;
    for n in 1..=3_u64 {
        assert_eq!(stream.message().await, (n, json!({"ack": n, "data": n})));
    }
}

#[tokio::test]
async fn bytes_travel_as_base64_both_ways() {
    let server = TestServer::start(Sse::new(), gateway()).await;
    let mut stream = server.join().await;
    let up = r#"{"event":"reverse","data":"AAH/","binary":true,"id":1}"#;
    server.post(&stream.token(), 1, up).await;
    assert_eq!(stream.message().await.1, json!({"ack": 1, "data": "/wEA", "binary": true}));
    server.client().emit_payload("bytes", &Payload::Binary(Bytes::from_static(b"\xff"))).unwrap();
    assert_eq!(stream.message().await.1, json!({"event": "bytes", "data": "/w==", "binary": true}));
}

#[tokio::test]
async fn what_is_no_message_is_answered_on_the_stream_and_what_is_no_body_at_once() {
    let server = TestServer::start(Sse::new(), gateway()).await;
    let mut stream = server.join().await;
    let token = stream.token();
    assert_eq!(server.post(&token, 1, "[5]").await.0, 200);
    assert_eq!(stream.message().await.1["event"], "exception");
    for body in ["", "nope", "5", "{", "[1,2"] {
        assert_eq!(server.post(&token, 2, body).await.0, 400, "{body}");
    }
    let ask = async |headers: &[(&str, &str)]| {
        let headers = [&[("x-narthex-session", token.as_str())], headers].concat();
        server.ask("POST", "/", &headers, &asks(2)).await.0.as_u16()
    };
    let json = ("content-type", "application/json");
    assert_eq!(ask(&[json]).await, 400);
    for seq in ["", "0", "x", "-1", "+2", "1.5"] {
        assert_eq!(ask(&[json, ("x-narthex-seq", seq)]).await, 400, "{seq:?}");
    }
    assert_eq!(ask(&[json, ("x-narthex-seq", "2"), ("x-narthex-seq", "2")]).await, 400);
    assert_eq!(server.post(&token, 2, &asks(2)).await, (200, r#"{"seq":2}"#.to_owned()));
    assert_eq!(stream.message().await.1["ack"], 2);
}

#[tokio::test]
async fn too_large_and_too_many_are_413_and_nothing_of_them_is_taken() {
    let sse = Sse::new().max_message(1024).max_batch(3).max_body(4096);
    let server = TestServer::start(sse, gateway()).await;
    let mut stream = server.join().await;
    let token = stream.token();
    let large = format!(r#"{{"event":"echo","data":"{}"}}"#, "x".repeat(1024));
    assert_eq!(server.post(&token, 1, &format!("[{},{large}]", asks(1))).await.0, 413);
    assert_eq!(server.post(&token, 1, "[1,2,3,4]").await.0, 413);
    assert_eq!(server.post(&token, 1, &" ".repeat(5000)).await.0, 413);
    assert_eq!(server.post(&token, 1, &asks(1)).await.0, 200);
    assert_eq!(stream.message().await, (1, json!({"ack": 1, "data": 1})));
}

#[tokio::test]
async fn one_who_sends_faster_than_is_handled_is_told_to_wait() {
    let sse = Sse::new().post_patience(Duration::from_millis(10));
    let limits = Limits::default().held(2, 64 * 1024);
    let gateway = gateway().on("hang", std::future::pending::<()>);
    let server = TestServer::within(sse, gateway, limits, HttpConfig::default()).await;
    let stream = server.join().await;
    let token = stream.token();
    let mut seq = 1;
    server.post(&token, seq, r#"{"event":"hang"}"#).await;
    let refused = loop {
        seq += 1;
        assert!(seq < 10, "it takes messages without a bound");
        let number = seq.to_string();
        let headers = [
            ("x-narthex-session", token.as_str()),
            ("x-narthex-seq", &number),
            ("content-type", "application/json"),
        ];
        let (status, headers, _) = server.ask("POST", "/", &headers, &asks(seq)).await;
        if status != 200 {
            break (status.as_u16(), headers["retry-after"].to_str().unwrap().to_owned());
        }
    };
    assert_eq!(refused, (429, "1".to_owned()));
}
