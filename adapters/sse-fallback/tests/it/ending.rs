use std::time::Duration;

use narthex_core::{CloseReason, Gateway, Limits, Overflow};
use narthex_http::HttpConfig;
use narthex_sse::Sse;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TestServer, echo, soon};

#[tokio::test]
async fn a_goodbye_ends_the_session_after_what_was_sent_before() {
    let mut server = TestServer::start(Sse::new(), Gateway::new().on("echo", echo)).await;
    let mut stream = server.join().await;
    let token = stream.token();
    server.post(&token, 1, r#"{"event":"echo","id":1}"#).await;
    let session = [("x-narthex-session", token.as_str())];
    for bad in ["code=1", "code=1006", "code=x", "code=99999"] {
        assert_eq!(server.ask("DELETE", &format!("/?{bad}"), &session, "").await.0, 400, "{bad}");
    }
    assert_eq!(server.ask("DELETE", "/?code=4001&reason=so+long", &session, "").await.0, 204);
    assert_eq!(stream.message().await.1["ack"], 1);
    assert_eq!(stream.goodbye().await, (4001, "so long".to_owned()));
    let said = CloseReason::ClientClosed { code: 4001, text: "so long".to_owned() };
    assert_eq!(server.left().await, said);
    assert_eq!(server.post(&token, 2, "[]").await.0, 404);
}

#[tokio::test]
async fn a_client_made_to_leave_reads_everything_and_then_why() {
    let mut server = TestServer::start(Sse::new(), Gateway::new()).await;
    let mut stream = server.join().await;
    let client = server.client();
    (1..=200).for_each(|n| client.emit("n", &n).unwrap());
    client.disconnect(4100, "enough\r\nevent: ping");
    for n in 1..=200 {
        assert_eq!(stream.message().await.0, n);
    }
    assert_eq!(stream.goodbye().await, (4100, "enough\r\nevent: ping".to_owned()));
    assert_eq!(server.left().await, CloseReason::disconnected(4100, "enough\r\nevent: ping"));
}

#[tokio::test]
async fn a_drain_says_1001_and_waits_for_nobody_who_is_away() {
    let mut server = TestServer::start(Sse::new(), Gateway::new()).await;
    let away = server.join().await;
    let mut here = server.join().await;
    drop(away);
    server.handle.stop();
    assert_eq!(here.goodbye().await, (1001, "going away".to_owned()));
    soon(&mut server.serving).await.unwrap().unwrap();
    assert_eq!([server.left().await, server.left().await], [CloseReason::Draining, CloseReason::Draining]);
}

#[tokio::test]
async fn a_message_that_comes_when_a_drain_has_ended_its_session_is_503_and_one_to_a_full_server_too() {
    let limits = Limits::default().clients(1);
    let server = TestServer::within(Sse::new(), Gateway::new(), limits, HttpConfig::default()).await;
    let mut stream = server.join().await;
    let (status, headers, _) = server.ask("GET", "/", &[("accept", "text/event-stream")], "").await;
    assert_eq!((status.as_u16(), &headers["retry-after"]), (503, &"1".parse().unwrap()));
    let mut post = TcpStream::connect(server.addr).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nx-narthex-session: {}\r\nx-narthex-seq: 1\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 3\r\n\r\n",
        stream.token()
    );
    post.write_all(head.as_bytes()).await.unwrap();
    // The body is asked for once the session is found.
    let mut go_on = [0; 25];
    soon(post.read_exact(&mut go_on)).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.handle.stop();
    assert_eq!(stream.goodbye().await.0, 1001);
    post.write_all(b"[1]").await.unwrap();
    let mut answer = String::new();
    soon(post.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1\r\n"), "{answer}");
}

#[tokio::test]
async fn a_reader_that_stopped_is_let_go_with_its_connection_and_hurts_nobody() {
    let http = HttpConfig::default().write_timeout(Duration::from_millis(200));
    let_go(Sse::new(), http).await;
}

#[tokio::test]
async fn a_reader_that_stopped_is_let_go_whatever_its_connection_does() {
    let sse = Sse::new().stall_timeout(Duration::from_millis(200));
    let_go(sse, HttpConfig::default().write_timeout(Duration::from_secs(3600))).await;
}

async fn let_go(sse: Sse, http: HttpConfig) {
    let limits = Limits::default().outbox(16, 16 * 1024 * 1024).overflow(Overflow::DropNewest);
    let sse = sse.grace(Duration::from_millis(50));
    let mut server = TestServer::within(sse, Gateway::new(), limits, http).await;
    let mut stuck = TcpStream::connect(server.addr).await.unwrap();
    stuck.write_all(b"GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n").await.unwrap();
    let mut quick = server.join().await;
    let hub = server.handle.hub("/").unwrap();
    let stuck_client = soon(async {
        loop {
            let other =
                hub.clients().into_iter().find(|client| client.id().to_string() != quick.opening["client"]);
            match other {
                Some(other) => break other,
                None => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let padding = "x".repeat(256 * 1024);
    let mut sent = 0;
    while !stuck_client.is_closed() {
        assert!(sent < 4096, "it is never let go");
        sent += 1;
        hub.all().emit("n", &padding).unwrap();
        assert_eq!(quick.message().await.0, sent);
    }
    assert_eq!(server.left().await, CloseReason::ClientGone);
    assert_eq!(hub.clients().len(), 1);
    drop(stuck);
}

#[tokio::test]
async fn one_that_overflows_while_it_is_away_is_gone_by_the_policy() {
    let limits = Limits::default().outbox(2, 1024);
    let sse = Sse::new().ring(2, 1024);
    let mut server = TestServer::within(sse, Gateway::new(), limits, HttpConfig::default()).await;
    let stream = server.join().await;
    let (token, client) = (stream.token(), server.client());
    drop(stream);
    while client.emit("n", &1).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.left().await, CloseReason::Overflow);
    assert_eq!(server.post(&token, 1, "[]").await.0, 404);
}

#[tokio::test]
async fn a_client_that_may_not_wait_is_gone_with_its_stream() {
    let mut server = TestServer::start(Sse::new().max_detached(0), Gateway::new()).await;
    drop(server.join().await);
    assert_eq!(server.left().await, CloseReason::ClientGone);
}
