use axum::{Router, body::Bytes, routing};
use http::{HeaderValue, Response, StatusCode};
use narthex_core::{ErrorKind, Gateway, PeerAddr, Server};
use narthex_http::{Claim, HttpExt, Mount, collect, full, text};
use tower::{ServiceExt, service_fn};

use crate::support::{LOOPBACK, Mounts, Running};

const UPGRADE: &str = "host: a\r\nconnection: close, Upgrade\r\nupgrade: websocket\r\n\r\n";

fn says(claim: Claim, line: &'static str) -> Mount {
    Mount::new(claim, move |_| async move { text(StatusCode::OK, line) })
}

#[tokio::test]
async fn mounts_come_before_the_users_service_which_has_the_rest() {
    let router = Router::new().route("/", routing::get("page")).route("/chat", routing::get("user"));
    let mounts = [("/", says(Claim::Upgrade, "door")), ("/chat", says(Claim::Requests, "mount"))];
    let server = Running::start(|server| server.adapter(Mounts::new(mounts)).http(router)).await;
    assert!(server.get("/").await.ends_with("page"));
    assert!(server.ask(&format!("GET / HTTP/1.1\r\n{UPGRADE}")).await.ends_with("door"));
    assert!(server.get("/chat").await.ends_with("mount"));
    assert!(server.get("/nowhere").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn without_a_user_service_unknown_paths_are_404_and_plain_requests_of_a_websocket_path_426() {
    let mounts = Mounts::new([("/ws", says(Claim::Upgrade, "door"))]);
    let server = Running::start(|server| server.adapter(mounts)).await;
    assert!(server.get("/").await.starts_with("HTTP/1.1 404"));
    let answer = server.get("/ws").await;
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    assert!(answer.contains("upgrade: websocket\r\n"), "{answer}");
    assert!(answer.contains("sec-websocket-version: 13\r\n"), "{answer}");
}

#[tokio::test]
async fn two_adapters_share_the_listener_unless_they_claim_the_same() {
    let ws = || Mounts::new([("/chat", says(Claim::Upgrade, "ws"))]);
    let sse = Mounts::new([("/chat", says(Claim::Requests, "sse"))]);
    let server = Running::start(|server| server.adapter(ws()).adapter(sse)).await;
    assert!(server.get("/chat").await.ends_with("sse"));
    assert!(server.ask(&format!("GET /chat HTTP/1.1\r\n{UPGRADE}")).await.ends_with("ws"));

    let twice = Server::new(Gateway::new()).adapter(ws()).adapter(ws()).bind(LOOPBACK).await;
    assert_eq!(twice.err().unwrap().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let first = Running::start(|server| server.http(Router::new())).await;
    let second = Server::new(Gateway::new()).http(Router::new()).bind(first.addr).await;
    let error = second.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Bind);
    assert!(error.to_string().contains(&first.addr.to_string()), "{error}");
}

#[tokio::test]
async fn layers_wrap_mounts_and_the_users_service() {
    let mark = |name: &'static str| {
        tower_layer::layer_fn(move |service: narthex_http::HttpService| {
            service.map_response(move |mut response: Response<_>| {
                response.headers_mut().append("x-layer", HeaderValue::from_static(name));
                response
            })
        })
    };
    let router = Router::new().route("/page", routing::get("page"));
    let mounts = Mounts::new([("/m", says(Claim::All, "m"))]);
    let server =
        Running::start(|server| server.adapter(mounts).http(router).layer(mark("out")).layer(mark("in")))
            .await;
    for path in ["/page", "/m"] {
        let answer = server.get(path).await;
        assert!(answer.contains("x-layer: in\r\nx-layer: out\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_panic_is_500_and_tells_nothing_and_the_server_goes_on() {
    async fn bad() -> &'static str {
        panic!("secret")
    }
    let router = Router::new().route("/bad", routing::get(bad)).route("/good", routing::get("good"));
    let mounts = Mounts::new([("/m", Mount::new(Claim::All, |_| async { panic!("secret") }))]);
    let server = Running::start(|server| server.adapter(mounts).http(router)).await;
    for path in ["/bad", "/m"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
    assert!(server.get("/good").await.ends_with("good"));
}

#[tokio::test]
async fn a_connection_is_kept_alive_and_the_peers_address_is_known() {
    let mount = Mount::new(Claim::All, |request| async move {
        let peer = request.extensions().get::<PeerAddr>().map(|peer| peer.0.to_string());
        let body = collect(request.into_body()).await.unwrap();
        Response::new(full(format!("{} {}!", peer.unwrap_or_default(), String::from_utf8_lossy(&body))))
    });
    let server = Running::start(|server| server.adapter(Mounts::new([("/", mount)]))).await;
    let mut peer = server.peer().await;
    for body in ["one", "two"] {
        peer.send(&format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n{body}")).await;
        let answer = peer.until("!").await;
        let expected = format!("{} {body}!", peer.0.local_addr().unwrap());
        assert!(answer.ends_with(&expected), "{answer}");
    }
}

#[tokio::test]
async fn one_host_is_required_of_http_1_1() {
    let router = Router::new().route("/", routing::get("page"));
    let server = Running::start(|server| server.http(router)).await;
    let close = "connection: close\r\n\r\n";
    assert!(server.ask(&format!("GET / HTTP/1.1\r\n{close}")).await.starts_with("HTTP/1.1 400"));
    let two = server.ask(&format!("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n{close}")).await;
    assert!(two.starts_with("HTTP/1.1 400"));
    assert!(server.ask("GET / HTTP/1.0\r\n\r\n").await.ends_with("page"));
}

#[tokio::test]
async fn a_service_that_fails_is_500() {
    let failing =
        service_fn(|_| async { Err::<Response<axum::body::Body>, _>(std::io::Error::other("secret")) });
    let server = Running::start(|server| server.http(failing)).await;
    let answer = server.get("/").await;
    assert!(answer.starts_with("HTTP/1.1 500") && !answer.contains("secret"), "{answer}");
}

#[tokio::test]
async fn the_users_service_may_take_large_bodies() {
    let router = Router::new().route("/", routing::post(|body: Bytes| async move { body.len().to_string() }));
    let server = Running::start(|server| server.http(router)).await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n";
    assert!(server.ask(&format!("{head}{}", "x".repeat(200_000))).await.ends_with("200000"));
}
