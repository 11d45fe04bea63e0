use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::map_request,
    routing,
};
use http::{StatusCode, Version, header};
use narthex_core::{ErrorKind, Gateway, Memory, PeerAddr, Server};
use narthex_http::{Claim, GatewayService, HttpBody, HttpConfig, HttpExt, Mount, collect, empty, full};
use tokio::{net::TcpListener, sync::Notify, time::timeout};
use tower::ServiceExt;
use tower_layer::layer_fn;

use crate::support::{LOOPBACK, Mounts, PATIENCE};

async fn service(mount: Mount) -> GatewayService {
    let server = Server::new(Gateway::new()).adapter(Mounts::new([("/mounted", mount)]));
    server.http(Router::new().route("/own", routing::get("own"))).into_service().await.unwrap()
}

/// Answers with what `tell` reads off the request.
fn telling(tell: fn(&http::Request<HttpBody>) -> String) -> Mount {
    Mount::new(Claim::All, move |request| {
        let told = tell(&request);
        async move { http::Response::new(full(told)) }
    })
}

fn request(uri: &str) -> http::request::Builder {
    http::Request::builder().uri(uri).header(header::HOST, "a")
}

async fn ask(service: &GatewayService, request: http::Request<HttpBody>) -> (StatusCode, String) {
    let asked = service.clone().oneshot(request);
    let response = timeout(PATIENCE, asked).await.unwrap().unwrap();
    let status = response.status();
    (status, String::from_utf8(collect(response.into_body()).await.unwrap().to_vec()).unwrap())
}

async fn get(service: &GatewayService, path: &str) -> (StatusCode, String) {
    ask(service, request(path).body(empty()).unwrap()).await
}

#[tokio::test]
async fn mounts_the_users_own_http_and_layers_are_behind_the_service() {
    let mount = telling(|request| format!("{:?}", request.headers().get("x-layer")));
    let server = Server::new(Gateway::new()).adapter(Mounts::new([("/mounted", mount)]));
    let layer = layer_fn(|inner: narthex_http::HttpService| {
        inner.map_request(|mut request: http::Request<HttpBody>| {
            request.headers_mut().insert("x-layer", "on".parse().unwrap());
            request
        })
    });
    let server = server.http(Router::new().route("/own", routing::get("own"))).layer(layer);
    let service = server.into_service().await.unwrap();
    assert_eq!(get(&service, "/mounted").await, (StatusCode::OK, "Some(\"on\")".to_owned()));
    assert_eq!(get(&service, "/own").await, (StatusCode::OK, "own".to_owned()));
    assert_eq!(get(&service, "/none").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_is_bounded_as_it_is_on_the_listener() {
    let mount = Mount::new(Claim::All, |request: http::Request<HttpBody>| async {
        match collect(request.into_body()).await {
            Ok(body) => http::Response::new(full(body)),
            Err(error) => error.response(),
        }
    });
    let server = Server::new(Gateway::new()).adapter(Mounts::new([("/mounted", mount)]));
    let service = server.http_config(HttpConfig::default().body_size(4)).into_service().await.unwrap();
    let post = |body: &'static str| ask(&service, request("/mounted").body(full(body)).unwrap());
    assert_eq!(post("1234").await, (StatusCode::OK, "1234".to_owned()));
    assert_eq!(post("12345").await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn http_2_names_its_host_in_the_uri() {
    let service = service(telling(|request| format!("{:?}", request.headers().get(header::HOST)))).await;
    let request = http::Request::builder().version(Version::HTTP_2).uri("https://a.example:8443/mounted");
    let answer = ask(&service, request.body(empty()).unwrap()).await;
    assert_eq!(answer, (StatusCode::OK, "Some(\"a.example:8443\")".to_owned()));
}

#[tokio::test]
async fn the_peers_address_is_what_the_user_says() {
    let mount = telling(|request| format!("{:?}", request.extensions().get::<PeerAddr>()));
    let service = service(mount).await;
    assert_eq!(get(&service, "/mounted").await.1, "None");

    let tell_peer =
        map_request(|ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request| async move {
            request.extensions_mut().insert(PeerAddr(peer));
            request
        });
    let app = Router::new().nest_service("/rt", service).layer(tell_peer);
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).into_future(),
    );
    let mut peer = crate::support::Peer(tokio::net::TcpStream::connect(addr).await.unwrap());
    peer.send("GET /rt/mounted HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let local = peer.0.local_addr().unwrap();
    assert!(peer.rest().await.contains(&format!("PeerAddr({local})")));
    serving.abort();
}

#[tokio::test]
async fn a_drain_waits_for_what_runs_and_refuses_what_comes() {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (b, f) = (Arc::clone(&begun), Arc::clone(&finish));
    let service = service(Mount::new(Claim::All, move |_| {
        let (b, f) = (Arc::clone(&b), Arc::clone(&f));
        async move {
            b.notify_one();
            f.notified().await;
            http::Response::new(full("done"))
        }
    }))
    .await;
    let asking = get(&service, "/mounted");
    let draining = async {
        begun.notified().await;
        let mut drained = std::pin::pin!(service.drain());
        assert!(futures_util::poll!(&mut drained).is_pending());
        assert_eq!(get(&service, "/own").await.0, StatusCode::SERVICE_UNAVAILABLE);
        finish.notify_one();
        timeout(PATIENCE, drained).await.unwrap().unwrap();
    };
    let (answer, ()) = tokio::join!(asking, draining);
    assert_eq!(answer, (StatusCode::OK, "done".to_owned()));
    // A second drain has nothing left to do.
    service.drain().await.unwrap();
}

#[tokio::test]
async fn stopping_by_the_handle_ends_the_serving() {
    let service = service(telling(|_| String::new())).await;
    let serving = tokio::spawn({
        let service = service.clone();
        async move { service.serve_until_stopped().await }
    });
    service.handle().stop();
    timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
    assert_eq!(get(&service, "/own").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_server_without_http_is_no_service() {
    let error = Server::new(Gateway::new()).adapter(Memory::new()).into_service().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
