use std::{sync::Arc, time::Duration};

use axum::{Router, routing};
use narthex_core::{ErrorKind, Limits};
use narthex_http::HttpExt;
use tokio::{net::TcpStream, sync::Notify, time::timeout};

use crate::support::{PATIENCE, Running};

/// A server whose `/slow` tells when it has begun, and ends when it is told to.
async fn slow(drain: Duration) -> (Running, Arc<Notify>, Arc<Notify>) {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (b, f) = (Arc::clone(&begun), Arc::clone(&finish));
    let handler = move || async move {
        b.notify_one();
        f.notified().await;
        "done"
    };
    let router = Router::new().route("/slow", routing::get(handler)).route("/", routing::get("page"));
    (
        Running::start(|server| server.limits(Limits::default().drain_timeout(drain)).http(router)).await,
        begun,
        finish,
    )
}

#[tokio::test]
async fn a_drain_finishes_what_runs_closes_what_idles_and_lets_nobody_in() {
    let (server, begun, finish) = slow(PATIENCE).await;
    let mut idle = server.peer().await;
    idle.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    idle.until("page").await;
    let mut fresh = server.peer().await;
    let mut busy = server.peer().await;
    busy.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    begun.notified().await;

    server.handle.stop();
    assert_eq!(idle.rest().await, "");
    assert_eq!(fresh.rest().await, "");
    assert!(TcpStream::connect(server.addr).await.is_err());
    finish.notify_one();
    assert!(busy.rest().await.ends_with("done"));
    timeout(PATIENCE, server.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_runs_longer_than_the_drain_is_dropped() {
    let (server, begun, _never) = slow(Duration::from_millis(50)).await;
    let mut busy = server.peer().await;
    busy.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    begun.notified().await;
    server.handle.stop();
    assert_eq!(busy.rest().await, "");
    let drained = timeout(PATIENCE, server.served).await.unwrap().unwrap();
    assert_eq!(drained.unwrap_err().kind(), ErrorKind::Timeout);
}
