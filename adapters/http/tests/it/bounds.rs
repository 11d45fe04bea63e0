use std::time::Duration;

use axum::{Router, routing};
use http::Response;
use narthex_http::{Claim, HttpConfig, HttpExt, Mount, collect, full};

use crate::support::{Mounts, Running};

const SHORT: Duration = Duration::from_millis(100);

fn echo() -> Mounts {
    let mount = Mount::new(Claim::All, |request| async {
        match collect(request.into_body()).await {
            Ok(body) => Response::new(full(body)),
            Err(error) => error.response(),
        }
    });
    Mounts::new([("/", mount)])
}

async fn echoing(config: HttpConfig) -> Running {
    Running::start(|server| server.adapter(echo()).http_config(config)).await
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off() {
    let server = echoing(HttpConfig::default().head_timeout(SHORT)).await;
    let mut silent = server.peer().await;
    let mut slow = server.peer().await;
    slow.send("GET / HTTP/1.1\r\nhost: ").await;
    assert_eq!(slow.rest().await, "");
    assert_eq!(silent.rest().await, "");
}

#[tokio::test]
async fn a_second_head_that_drips_is_cut_off_as_well() {
    let server = echoing(HttpConfig::default().head_timeout(SHORT)).await;
    let mut peer = server.peer().await;
    peer.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    peer.until("\r\n\r\n").await;
    peer.send("GET / HTTP/1.1\r\nhost: ").await;
    assert_eq!(peer.rest().await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = echoing(HttpConfig::default().keep_alive(SHORT)).await;
    let mut peer = server.peer().await;
    peer.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(peer.rest().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_handler_that_takes_longer_than_the_deadlines_of_reading_still_answers() {
    let (started, mut start) = tokio::sync::mpsc::channel(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let mount = Mount::new(Claim::All, move |_| {
        let (started, mut released) = (started.clone(), released.clone());
        async move {
            started.send(()).await.unwrap();
            released.wait_for(|go| *go).await.unwrap();
            Response::new(full("late"))
        }
    });
    let config = HttpConfig::default().head_timeout(SHORT).keep_alive(SHORT);
    let server =
        Running::start(|server| server.adapter(Mounts::new([("/", mount)])).http_config(config)).await;
    let mut peer = server.peer().await;
    peer.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    start.recv().await.unwrap();
    // Another connection runs into its deadline meanwhile.
    assert_eq!(server.peer().await.rest().await, "");
    release.send(true).unwrap();
    assert!(peer.until("late").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_large_head_is_431() {
    let server = echoing(HttpConfig::default()).await;
    let long = server.ask(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(17_000))).await;
    assert!(long.starts_with("HTTP/1.1 431"), "{long}");
    let many = server.ask(&format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(101))).await;
    assert!(many.starts_with("HTTP/1.1 431"), "{many}");
    let unending = server.ask(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(100_000))).await;
    assert!(unending.starts_with("HTTP/1.1 431"), "{unending}");
}

#[tokio::test]
async fn a_large_body_is_413_announced_or_not() {
    let server = echoing(HttpConfig::default().body_size(5)).await;
    let announced = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n123456";
    let chunked =
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n3\r\n456\r\n0\r\n\r\n";
    for request in [announced, chunked] {
        let mut peer = server.peer().await;
        peer.send(request).await;
        let answer = peer.until("large").await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    let fits = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n12345";
    assert!(server.ask(fits).await.ends_with("12345"));
}

#[tokio::test]
async fn an_answer_to_a_body_that_nobody_reads_is_not_lost() {
    let server = echoing(HttpConfig::default().body_size(5)).await;
    let body = "x".repeat(200_000);
    let answer =
        server.ask(&format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer:?}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_408_on_a_mount_and_an_error_in_the_users_service() {
    let router = Router::new().route("/user", routing::post(|body: String| async { body }));
    let config = HttpConfig::default().body_timeout(SHORT);
    let server = Running::start(|server| server.adapter(echo()).http(router).http_config(config)).await;
    let head = "HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx";
    assert!(server.ask(&format!("POST / {head}")).await.starts_with("HTTP/1.1 408"));
    assert!(server.ask(&format!("POST /user {head}")).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_dropped() {
    let router = Router::new().route("/", routing::get(|| async { vec![b'x'; 64 * 1024 * 1024] }));
    let config = HttpConfig::default().write_timeout(SHORT).connections(1);
    let server = Running::start(|server| server.http(router).http_config(config)).await;
    let mut stuck = server.peer().await;
    stuck.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    // Its place is free once it is dropped; until then others are closed at once.
    let next = async {
        loop {
            let mut peer = server.peer().await;
            peer.send("GET /nowhere HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
            if peer.rest().await.starts_with("HTTP/1.1 404") {
                break;
            }
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, next).await.unwrap();
}

#[tokio::test]
async fn a_connection_over_the_bound_is_closed_at_once_and_a_closed_one_makes_room() {
    for config in [HttpConfig::default().connections(1), HttpConfig::default().connections_per_ip(1)] {
        let server = echoing(config).await;
        let mut first = server.peer().await;
        first.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        first.until("\r\n\r\n").await;
        assert_eq!(server.peer().await.rest().await, "");
        first.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(first.rest().await.starts_with("HTTP/1.1 200"));
        // The server has closed before the peer saw the end, and gives the place back right after.
        let again = async { while !server.get("/").await.starts_with("HTTP/1.1 200") {} };
        tokio::time::timeout(crate::support::PATIENCE, again).await.unwrap();
    }
}
