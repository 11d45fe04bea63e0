//! Back-pressure: who is slow, and who pays for it.

use std::{sync::Arc, time::Duration};

use narthex_core::{CloseReason, Gateway, Hub, Json, Limits, State};
use narthex_ws::Ws;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};

use crate::support::{RawClient, TEXT, TestServer, event, soon};

/// One event with this payload is larger than what a test socket holds many of.
const BULK: usize = 60_000;

async fn flood(hub: Hub) {
    hub.emit("bulk", &"x".repeat(BULK)).unwrap();
}

async fn echo(Json(text): Json<String>) -> String {
    text
}

fn gateway() -> Gateway {
    Gateway::new().on("flood", flood).on("echo", echo)
}

/// Floods the room until the server lets somebody go, while the flooder itself reads everything.
async fn flood_until_one_left(server: &mut TestServer, client: &mut RawClient) -> CloseReason {
    let mut left = std::pin::pin!(server.left());
    loop {
        client.write(&event("flood", "null", None)).await;
        let text = client.text().await;
        assert!(text.len() > BULK, "{}", text.len());
        let now = futures_util::poll!(left.as_mut());
        if let std::task::Poll::Ready(reason) = now {
            return reason;
        }
    }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_let_go_and_nobody_else_suffers() {
    let limits = Limits::default().outbox(8, 1024 * 1024);
    let ws = Ws::new().close_timeout(Duration::from_millis(50)).write_deadline(Duration::from_millis(200));
    let mut server = TestServer::with_limits(ws, gateway(), limits).await;
    let _slow = server.connect("/").await;
    let mut quick = server.connect("/").await;
    assert_eq!(flood_until_one_left(&mut server, &mut quick).await, CloseReason::Overflow);
    quick.write(&event("echo", r#""fine""#, Some(1))).await;
    assert_eq!(quick.text().await, r#"{"ack":1,"data":"fine"}"#);
}

#[tokio::test]
async fn a_slow_reader_that_catches_up_reads_the_code() {
    let limits = Limits::default().outbox(8, 1024 * 1024);
    let ws = Ws::new().write_deadline(Duration::from_secs(30)).close_timeout(Duration::from_secs(30));
    let server = TestServer::with_limits(ws, gateway(), limits).await;
    let mut slow = server.connect("/").await;
    let mut quick = server.connect("/").await;
    // Far more than the kernel takes for a socket that nobody reads.
    for _ in 0..400 {
        quick.write(&event("flood", "null", None)).await;
        quick.text().await;
    }
    assert_eq!(slow.close().await.0, 1013);
}

#[tokio::test]
async fn a_socket_that_takes_nothing_is_cut_at_the_write_deadline() {
    let limits = Limits::default().outbox(100_000, usize::MAX);
    let mut server =
        TestServer::with_limits(Ws::new().write_deadline(Duration::from_millis(100)), gateway(), limits)
            .await;
    let _slow = server.connect("/").await;
    let mut quick = server.connect("/").await;
    assert_eq!(flood_until_one_left(&mut server, &mut quick).await, CloseReason::WriteTimeout);
}

#[tokio::test]
async fn a_busy_session_stops_the_reading_and_loses_nothing() {
    const MESSAGES: u64 = 20_000;
    async fn wait(State(gate): State<Arc<Semaphore>>, Json(n): Json<u64>) -> u64 {
        let _open = gate.acquire().await;
        n
    }
    let gate = Arc::new(Semaphore::new(0));
    let gateway = Gateway::new().state(Arc::clone(&gate)).on("wait", wait);
    let limits = Limits::default().held(4, 4096);
    let server = TestServer::with_limits(Ws::new(), gateway, limits).await;
    let client = server.connect("/").await;
    let (read, mut write) = client.stream.into_split();
    // More than both kernels hold, so this ends only because the server reads on.
    let padding = " ".repeat(1000);
    let sending = tokio::spawn(async move {
        for n in 0..MESSAGES {
            write.write_all(&event("wait", &format!("{n}{padding}"), Some(n))).await.unwrap();
        }
        write
    });
    let mut sending = sending;
    let early = tokio::time::timeout(Duration::from_millis(300), &mut sending).await;
    assert!(early.is_err(), "the server read on although its session was busy");
    gate.add_permits(1);
    let reading = tokio::spawn(async move {
        let mut read = read;
        let mut bytes = Vec::new();
        let last = format!(r#"{{"ack":{},"data":{}}}"#, MESSAGES - 1, MESSAGES - 1);
        while !bytes.ends_with(last.as_bytes()) {
            assert!(read.read_buf(&mut bytes).await.unwrap() > 0);
        }
        bytes
    });
    let _write = soon(sending).await.unwrap();
    let replies = soon(reading).await.unwrap();
    let mut rest = &replies[..];
    for n in 0..MESSAGES {
        let reply = format!(r#"{{"ack":{n},"data":{n}}}"#);
        assert_eq!(rest[..2], [TEXT, reply.len() as u8]);
        assert_eq!(&rest[2..2 + reply.len()], reply.as_bytes());
        rest = &rest[2 + reply.len()..];
    }
}
