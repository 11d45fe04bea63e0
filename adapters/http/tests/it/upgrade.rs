use http::{HeaderValue, Response, StatusCode, header};
use narthex_http::{Claim, HttpBody, HttpConfig, HttpExt, Mount, UpgradedIo, empty, text, upgrade};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use crate::support::{Mounts, PATIENCE, Running};

const REQUEST: &str = "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

/// Answers 101 and sends the upgraded connection away.
fn switching() -> (Mounts, mpsc::Receiver<narthex_core::Result<UpgradedIo>>) {
    let (sender, receiver) = mpsc::channel(1);
    let mount = Mount::new(Claim::Upgrade, move |mut request| {
        let (upgrading, sender) = (upgrade(&mut request), sender.clone());
        tokio::spawn(async move { sender.send(upgrading.await).await });
        async { switch() }
    });
    (Mounts::new([("/ws", mount)]), receiver)
}

fn switch() -> Response<HttpBody> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

#[tokio::test]
async fn an_upgrade_hands_over_the_stream_with_the_bytes_read_too_far_and_still_counts() {
    let (mounts, mut upgraded) = switching();
    let config = HttpConfig::default().connections(1);
    let server = Running::start(|server| server.adapter(mounts).http_config(config)).await;
    let mut peer = server.peer().await;
    peer.send(&format!("{REQUEST}early")).await;
    assert!(peer.until("\r\n\r\n").await.starts_with("HTTP/1.1 101"));
    let io = timeout(PATIENCE, upgraded.recv()).await.unwrap().unwrap().unwrap();
    assert_eq!(io.leftover(), "early");

    let (mut stream, _, permit) = io.into_parts();
    peer.send("late!").await;
    let mut late = [0; 5];
    stream.read_exact(&mut late).await.unwrap();
    assert_eq!(&late, b"late!");
    stream.write_all(b"back.").await.unwrap();
    assert_eq!(peer.until(".").await, "back.");

    assert_eq!(server.peer().await.rest().await, "");
    drop((stream, permit));
    assert!(server.get("/ws").await.starts_with("HTTP/1.1 426"));
}

#[tokio::test]
async fn an_upgrade_that_is_refused_fails_and_the_connection_stays_http() {
    let (sender, mut receiver) = mpsc::channel(1);
    let mount = Mount::new(Claim::Upgrade, move |mut request| {
        let (upgrading, sender) = (upgrade(&mut request), sender.clone());
        tokio::spawn(async move { sender.send(upgrading.await).await });
        async { text(StatusCode::FORBIDDEN, "no.") }
    });
    let server = Running::start(|server| server.adapter(Mounts::new([("/ws", mount)]))).await;
    let mut peer = server.peer().await;
    for _ in 0..2 {
        peer.send(REQUEST).await;
        assert!(peer.until("no.").await.starts_with("HTTP/1.1 403"));
    }
    drop(peer);
    for _ in 0..2 {
        assert!(timeout(PATIENCE, receiver.recv()).await.unwrap().unwrap().is_err());
    }
}

#[tokio::test]
async fn an_upgrade_that_is_under_way_when_the_drain_begins_is_handed_over() {
    let (begun, mut begins) = mpsc::channel(1);
    let (finish, finished) = tokio::sync::watch::channel(false);
    let (sender, mut receiver) = mpsc::channel(1);
    let mount = Mount::new(Claim::Upgrade, move |mut request| {
        let (upgrading, sender) = (upgrade(&mut request), sender.clone());
        tokio::spawn(async move { sender.send(upgrading.await).await });
        let (begun, mut finished) = (begun.clone(), finished.clone());
        async move {
            begun.send(()).await.unwrap();
            finished.wait_for(|go| *go).await.unwrap();
            switch()
        }
    });
    let server = Running::start(|server| server.adapter(Mounts::new([("/ws", mount)]))).await;
    let mut peer = server.peer().await;
    peer.send(REQUEST).await;
    begins.recv().await.unwrap();
    let mut idle = server.peer().await;
    server.handle.stop();
    assert_eq!(idle.rest().await, "");
    finish.send(true).unwrap();
    assert!(peer.until("\r\n\r\n").await.starts_with("HTTP/1.1 101"));
    assert!(timeout(PATIENCE, receiver.recv()).await.unwrap().unwrap().is_ok());
}
