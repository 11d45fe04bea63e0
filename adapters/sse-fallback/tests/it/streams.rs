use std::time::Duration;

use axum::{Router, routing};
use narthex_core::{Denied, Gateway, Server};
use narthex_http::HttpExt;
use narthex_sse::Sse;
use serde_json::json;

use crate::support::{TestServer, echo};

#[tokio::test]
async fn a_stream_begins_with_who_the_client_is_and_no_proxy_keeps_it() {
    let server = TestServer::start(Sse::new(), Gateway::new()).await;
    let stream = server.join().await;
    assert_eq!(stream.headers["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(stream.headers["cache-control"], "no-store, no-transform");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    let id = server.client().id().to_string();
    assert_eq!(stream.opening["client"], id);
    let token = stream.token();
    let (public, secret) = token.split_once('.').unwrap();
    assert_eq!((public, secret.len()), (id.as_str(), 22));
    assert_eq!((&stream.opening["ping"], &stream.opening["grace"]), (&json!(15_000), &json!(30_000)));
}

#[tokio::test]
async fn what_is_sent_is_numbered_and_in_order() {
    let server = TestServer::start(Sse::new(), Gateway::new()).await;
    let mut stream = server.join().await;
    let client = server.client();
    client.join("tea").unwrap();
    for n in 1..=100 {
        match n % 2 {
            0 => client.emit("n", &n).unwrap(),
            _ => drop(client.hub().to("tea").emit("n", &n).unwrap()),
        }
    }
    for n in 1..=100_u64 {
        assert_eq!(stream.message().await, (n, json!({"event": "n", "data": n})));
    }
}

#[tokio::test]
async fn a_quiet_stream_is_pinged_with_an_event_that_pages_see() {
    let sse = Sse::new().ping_interval(Duration::from_millis(20));
    let server = TestServer::start(sse, Gateway::new()).await;
    let mut stream = server.join().await;
    for _ in 0..3 {
        assert_eq!(stream.event().await, Some(("ping".to_owned(), None, "{}".to_owned())));
    }
}

#[tokio::test]
async fn line_ends_of_one_client_do_not_break_the_stream_of_another() {
    async fn tell(payload: narthex_core::Payload, hub: narthex_core::Hub) -> usize {
        hub.all().emit_payload("told", &payload)
    }
    let server = TestServer::start(Sse::new(), Gateway::new().on("tell", tell)).await;
    let mut stream = server.join().await;
    let evil = "{\"event\":\"tell\",\"data\":[1,\r\n\r\nevent: close\ndata: {}\n\n2]}";
    assert_eq!(server.post(&stream.token(), 1, evil).await.0, 400);
    let evil = "{\"event\":\"tell\",\"data\":[1,\r\n\r\n\n\r2,\"\\r\\nid: 9\"]}";
    assert_eq!(server.post(&stream.token(), 1, evil).await.0, 200);
    assert_eq!(stream.message().await, (1, json!({"event": "told", "data": [1, 2, "\r\nid: 9"]})));
    server.client().emit("next", &1).unwrap();
    assert_eq!(stream.message().await.0, 2);
}

#[tokio::test]
async fn a_refusal_is_an_http_answer_before_the_stream_and_an_event_after() {
    async fn nobody() -> Result<(), Denied> {
        Err(Denied::forbidden("Members only"))
    }
    let accept = [("accept", "text/event-stream")];
    let guarded = TestServer::start(Sse::new(), Gateway::new().connect_guard(nobody)).await;
    let (status, _, body) = guarded.ask("GET", "/", &accept, "").await;
    assert!(status == 403 && body.contains("Members only"), "{status} {body}");
    let hooked = TestServer::start(Sse::new(), Gateway::new().on_connect(nobody)).await;
    let mut stream = hooked.join().await;
    assert_eq!(stream.goodbye().await, (1008, "Members only".to_owned()));
}

#[tokio::test]
async fn a_page_of_the_same_path_is_somebody_elses() {
    let pages = Router::new()
        .route("/", routing::get("page").post("form"))
        .route("/chat", routing::get("chat page"))
        .route("/ticket", routing::get("a page on tickets"));
    let gateway = Gateway::new().on("echo", echo);
    let server = TestServer::with(gateway, |server: Server| server.adapter(Sse::new()).http(pages)).await;
    let html = [("accept", "text/html,*/*;q=0.8")];
    assert_eq!(server.ask("GET", "/", &html, "").await.2, "page");
    assert_eq!(server.ask("POST", "/", &[], "").await.2, "form");
    assert_eq!(server.ask("GET", "/ticket", &html, "").await.2, "a page on tickets");
    assert_eq!(server.ask("GET", "/chat", &[("accept", "text/event-stream")], "").await.2, "chat page");
    server.join().await;
}

#[tokio::test]
async fn a_mount_leads_to_its_namespace_with_parameters() {
    let sse = Sse::new().mount("/events/{id}", "/game/{id}");
    let server = TestServer::start(sse, Gateway::new().namespace("/game/{id}")).await;
    let mut stream = server.stream("/events/7", &[]).await;
    server.handle.hub("/game/7").unwrap().all().emit("n", &1).unwrap();
    assert_eq!(stream.message().await.1["data"], 1);
    // The token of one game opens no other.
    let token = stream.token();
    let headers =
        [("x-narthex-session", token.as_str()), ("x-narthex-seq", "1"), ("content-type", "application/json")];
    assert_eq!(server.ask("POST", "/events/8", &headers, "[]").await.0, 404);
    assert_eq!(server.ask("POST", "/events/7", &headers, "[]").await.0, 200);
}
