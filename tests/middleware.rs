//! The ready-made layers, in process.

use std::sync::{Arc, Mutex};

use narthex::{
    Denied, Event, Gateway, Handler, Json, Reply,
    middleware::{
        CatchPanicLayer,
        filters::{self, NestFilter},
        from_fn,
        from_fn::Next,
    },
};
use narthex_core::TestServer;
use serde_json::json;

async fn panics() {
    panic!("secret");
}

async fn double(Json(n): Json<u64>) -> u64 {
    n * 2
}

#[tokio::test(start_paused = true)]
async fn a_layer_from_a_fn_sees_the_event_and_its_reply() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let layer = from_fn(move |event: Event, next: Next| {
        let log = Arc::clone(&log);
        async move {
            let name = event.pattern().unwrap_or("?").to_owned();
            let reply = next.run(event).await;
            log.lock().unwrap().push((name, reply.denied().is_some()));
            reply
        }
    });
    let server = TestServer::new(Gateway::new().layer(layer).on("double", double)).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<u64>("double", &21).await.unwrap(), 42);
    assert!(client.ask::<u64>("double", "no number").await.is_err());
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, [("double".to_owned(), false), ("double".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_from_a_fn_may_answer_by_itself() {
    let closed = from_fn(|_: Event, _: Next| async { Reply::error(Denied::forbidden("closed on Sundays")) });
    let server = TestServer::new(Gateway::new().on("double", double.layer(closed))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let error = client.ask::<u64>("double", &21).await.unwrap_err();
    assert_eq!(error.to_string(), "closed on Sundays");
}

#[tokio::test(start_paused = true)]
async fn layers_outside_of_catch_panic_see_a_failed_reply() {
    let outside = from_fn(|event: Event, next: Next| async move {
        match next.run(event).await.into_denied() {
            Ok(denied) => Reply::error(Denied::bad_request(format!("mapped: {denied}"))),
            Err(reply) => reply,
        }
    });
    let gateway = Gateway::new().layer(outside).layer(CatchPanicLayer::new()).on("panic", panics);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let error = client.ask::<()>("panic", &()).await.unwrap_err();
    assert_eq!(error.to_string(), "mapped: Internal server error");
}

#[tokio::test(start_paused = true)]
async fn the_nest_filter_sends_an_exception_with_its_cause_and_leaves_out_what_it_is_told_to() {
    let quiet = NestFilter::new().without_cause().hiding_bad_requests().build();
    let gateway = Gateway::new()
        .filter(filters::nest())
        .on("double", double)
        .on("panic", panics)
        .on("quiet", double.filter(quiet));
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("double", "x").await.unwrap();
    let exception = client.expect("exception").await.unwrap();
    let message = "The payload does not have the expected shape";
    let cause = json!({"pattern": "double", "data": "x"});
    assert_eq!(exception, json!({"status": "error", "message": message, "cause": cause}));
    client.emit("quiet", "x").await.unwrap();
    let exception = client.expect("exception").await.unwrap();
    assert_eq!(exception, json!({"status": "error", "message": "Internal server error"}));
    client.emit("panic", &()).await.unwrap();
    let exception = client.expect("exception").await.unwrap();
    assert_eq!(exception["message"], "Internal server error");
}
