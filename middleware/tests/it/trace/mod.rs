mod recorder;

use std::{sync::Arc, time::Duration};

use http::Request;
use narthex_core::{
    Client, Denied, Emit, Extension, Failed, Frame, Gateway, Handler, Json, PeerAddr, Server, TestServer,
};
use narthex_middleware::{
    TraceLayer, filters,
    trace::{ConnectionSpan, TraceParent},
};
use serde::Serialize;
use tokio::sync::Notify;
use tracing::Level;

use self::recorder::Recorder;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn serve(gateway: Gateway, trace: TraceLayer) -> TestServer {
    let server = Server::new(gateway).observe(trace.clone()).handshake_layer(trace.clone());
    TestServer::of(server.message_layer(trace)).await.unwrap()
}

async fn id(client: Client) -> String {
    client.id().to_string()
}

#[derive(Serialize)]
struct Secret {
    password: &'static str,
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_a_span_and_each_message_one_inside_of_it() {
    let (recorder, _guard) = Recorder::set("trace");
    let gateway = Gateway::new().namespace("/game/{name}").on("id", id).on("slow", async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tracing::info!("it was slow");
    });
    let server = serve(gateway, TraceLayer::new()).await;
    let mut client = server.connect_to("/game/chess?x=1").await.unwrap();
    let id = client.ask::<String>("id", &()).await.unwrap();
    client.emit("slow", &()).await.unwrap();
    client.close(4321, "bye");
    server.drain().await.unwrap();

    let connection = recorder.one("connection");
    assert_eq!((connection.level, connection.within.len()), (Level::INFO, 0));
    let fields: Vec<_> = connection.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let expected =
        [("adapter", "memory"), ("client", id.as_str()), ("namespace", "/game/chess"), ("status", "200")];
    assert_eq!(fields, expected);

    let messages = recorder.all("message");
    let said = |at: usize| ["event", "ack", "outcome", "duration_us"].map(|field| messages[at].get(field));
    assert_eq!(said(0), ["id", "true", "ok", "0"]);
    assert_eq!(said(1), ["slow", "false", "ok", "20000"]);
    assert_eq!((messages[1].level, &messages[1].within[..]), (Level::DEBUG, &["connection"][..]));
    assert_eq!(recorder.one("it was slow").within, ["connection", "message"]);

    assert_eq!(recorder.one("connected").within, ["connection"]);
    let left = recorder.one("disconnected");
    assert_eq!((left.get("code"), left.get("client")), ("4321", id.as_str()));
    assert!(left.get("reason").contains("bye"), "{left:?}");
    assert_eq!(left.within, ["connection"]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_logged_once_with_its_source_and_a_clients_mistake_without_its_payload() {
    let (recorder, _guard) = Recorder::set("trace");
    let gateway = Gateway::new()
        .on("fails", async || Err::<(), _>(std::io::Error::other("the disk is full")))
        .on("double", |Json(n): Json<u64>| async move { n * 2 });
    let server = serve(gateway, TraceLayer::new()).await;
    let mut client = server.connect().await.unwrap();
    client.ask::<()>("fails", &()).await.unwrap_err();
    client.ask::<u64>("double", &Secret { password: "hunter2" }).await.unwrap_err();
    client.ask::<u64>("hunter2", &()).await.unwrap_err();
    client.send_frame(Frame::text("{hunter2")).await.unwrap();
    client.expect("exception").await.unwrap();
    server.drain().await.unwrap();

    let failed = recorder.one("a call failed");
    assert_eq!((failed.level, failed.get("event")), (Level::ERROR, "fails"));
    assert_eq!(failed.get("error"), "the disk is full");
    assert_eq!(failed.within, ["connection", "message"]);
    let refused = recorder.all("a message was refused");
    let said: Vec<_> = refused.iter().map(|e| (e.level, e.get("event"), e.get("outcome"))).collect();
    let expected = [("double", "bad_request"), ("_unknown", "not_found"), ("_unreadable", "bad_request")];
    assert_eq!(said, expected.map(|(event, outcome)| (Level::DEBUG, event, outcome)));
    assert!(!recorder.everything().contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_makes_of_a_failure_is_the_failure_that_it_was() {
    let (recorder, _guard) = Recorder::set("trace");
    let fails = async || Err::<(), _>(std::io::Error::other("the disk is full"));
    let settled = |_: Denied, _: Failed| async { Emit::new("error", &"sorry") };
    let gateway =
        Gateway::new().on("nest", fails.filter(filters::nest())).on("settled", fails.filter(settled));
    let server = serve(gateway, TraceLayer::new()).await;
    let mut client = server.connect().await.unwrap();
    client.emit("nest", &()).await.unwrap();
    client.expect("exception").await.unwrap();
    client.emit("settled", &()).await.unwrap();
    assert_eq!(client.expect("error").await.unwrap(), "sorry");
    let outcomes: Vec<_> = recorder.all("message").iter().map(|e| e.get("outcome").to_owned()).collect();
    assert_eq!(outcomes, ["internal", "internal"]);
    // The ready-made filter logs what it hides. Our own is trusted with what it was given.
    let failed = recorder.one("a call failed");
    assert_eq!((failed.get("error"), failed.within.len()), ("the disk is full", 2));
    assert_eq!(recorder.all("a message was refused").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_internal_failure_and_a_call_that_is_dropped_was_cancelled() {
    let (recorder, _guard) = Recorder::set("trace");
    let begun = Arc::new(Notify::new());
    let begin = Arc::clone(&begun);
    let endless = move || {
        let begin = Arc::clone(&begin);
        async move {
            begin.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let gateway =
        Gateway::new().on("panics", async || -> () { panic!("asked to") }).on("endless", endless.latest());
    let server = serve(gateway, TraceLayer::new()).await;
    let mut client = server.connect().await.unwrap();
    client.ask::<()>("panics", &()).await.unwrap_err();
    assert_eq!(recorder.one("message").get("outcome"), "internal");
    client.emit("endless", &()).await.unwrap();
    begun.notified().await;
    client.emit("endless", &()).await.unwrap();
    begun.notified().await;
    assert_eq!(recorder.all("message")[1].get("outcome"), "cancelled");
}

#[tokio::test(start_paused = true)]
async fn where_messages_are_filtered_out_handlers_run_inside_of_the_connection() {
    let (recorder, _guard) = Recorder::set("info");
    let gateway = Gateway::new()
        .on("note", async || tracing::info!("a note"))
        .on("fails", async || Err::<(), _>(std::io::Error::other("the disk is full")));
    let server = serve(gateway, TraceLayer::new()).await;
    let mut client = server.connect().await.unwrap();
    client.ask::<()>("note", &()).await.unwrap();
    client.ask::<()>("fails", &()).await.unwrap_err();
    server.drain().await.unwrap();
    assert_eq!(recorder.one("a note").within, ["connection"]);
    let failed = recorder.one("a call failed");
    assert_eq!((failed.get("event"), &failed.within[..]), ("fails", &["connection"][..]));
    let connection = recorder.one("connection");
    assert_eq!(failed.get("client"), connection.get("client"));
    assert!(recorder.all("message").is_empty() && recorder.all("connected").is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_spans_messages_are_handled_all_the_same() {
    let (recorder, _guard) = Recorder::set("off");
    let gateway = Gateway::new().on("id", id);
    let server = serve(gateway, TraceLayer::new().with_query()).await;
    let mut client = server.connect_to("/?a=1").await.unwrap();
    assert!(!client.ask::<String>("id", &()).await.unwrap().is_empty());
    client.ask::<()>("nobody", &()).await.unwrap_err();
    server.drain().await.unwrap();
    assert_eq!(recorder.everything(), "[]");
}

#[tokio::test(start_paused = true)]
async fn a_traceparent_is_on_the_span_and_there_for_handlers() {
    let (recorder, _guard) = Recorder::set("trace");
    let which = |Extension(parent): Extension<TraceParent>| async move {
        format!("{parent} {}", parent.state().unwrap_or_default())
    };
    let server = serve(Gateway::new().on("which", which), TraceLayer::new()).await;
    let arrive = |parent: &str| {
        let request = Request::get("/").header("traceparent", parent).header("tracestate", "a=1");
        server.connect_with(request.body(()).unwrap())
    };
    let mut client = arrive(PARENT).await.unwrap();
    assert_eq!(client.ask::<String>("which", &()).await.unwrap(), format!("{PARENT} a=1"));
    let mut other = arrive("00-nonsense").await.unwrap();
    other.ask::<String>("which", &()).await.unwrap_err();
    drop((client, other));
    server.drain().await.unwrap();
    let spans = recorder.all("connection");
    let ids: Vec<_> = spans.iter().map(|span| (span.get("trace_id"), span.get("parent_id"))).collect();
    assert_eq!(ids.iter().filter(|ids| **ids == ("", "")).count(), 1);
    assert!(ids.contains(&("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn the_query_and_the_address_are_recorded_where_asked_for_and_credentials_never() {
    let (recorder, _guard) = Recorder::set("trace");
    let arrive = |server: TestServer| async move {
        let request = Request::get("/?room=1&token=s3cret&pin=s3cret&s3cret")
            .header("authorization", "Bearer s3cret")
            .header("cookie", "session=s3cret")
            .header("sec-websocket-protocol", "bearer, s3cret")
            .extension(PeerAddr(([127, 0, 0, 1], 9).into()))
            .body(())
            .unwrap();
        let mut client = server.connect_with(request).await.unwrap();
        client.ask::<()>("s3cret", &"s3cret").await.unwrap_err();
        drop(client);
        server.drain().await.unwrap();
    };
    let trace = TraceLayer::new();
    arrive(serve(Gateway::new(), trace.clone()).await).await;
    arrive(serve(Gateway::new(), trace.with_query().redact("PIN").with_peer_addr()).await).await;
    let spans = recorder.all("connection");
    assert_eq!((spans[0].get("query"), spans[0].get("peer")), ("", ""));
    let query = "room=1&token=[redacted]&pin=[redacted]&[redacted]";
    assert_eq!((spans[1].get("query"), spans[1].get("peer")), (query, "127.0.0.1:9"));
    assert!(!recorder.everything().contains("s3cret"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_has_a_span_with_its_status() {
    let (recorder, _guard) = Recorder::set("trace");
    let gateway = Gateway::new().connect_guard(async || {
        tracing::info!("looked at");
        Err::<(), _>(Denied::forbidden("no"))
    });
    let server = serve(gateway, TraceLayer::new()).await;
    server.connect().await.unwrap_err();
    assert_eq!(recorder.one("looked at").within, ["connection"]);
    assert_eq!(recorder.one("connection").get("status"), "403");
    let refused = recorder.one("refused");
    assert_eq!((refused.get("status"), refused.get("namespace")), ("403", "/"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_the_connections_span_for_its_tasks() {
    let (recorder, _guard) = Recorder::set("trace");
    let start = |Extension(connection): Extension<ConnectionSpan>| async move {
        connection.0.in_scope(|| tracing::info!("in a task"));
    };
    let server = serve(Gateway::new().on("start", start), TraceLayer::new()).await;
    server.connect().await.unwrap().ask::<()>("start", &()).await.unwrap();
    assert_eq!(recorder.one("in a task").within, ["connection"]);
}
