//! Who answers where a handler has taken the ack, and how often; and the bounds of one handler's payload.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use narthex::middleware::{from_fn, from_fn::Next};
use narthex_core::{Ack, Denied, DeniedKind, Event, Failed, Frame, Gateway, Handler, Reply, State};
use serde_json::{Value, json};

use super::served;

/// Where handlers leave their acks.
type Shelf = Arc<Mutex<Vec<Ack>>>;

async fn answers_and_panics(ack: Ack) {
    ack.send("mine").unwrap();
    panic!("a handler was asked to panic");
}

async fn perhaps_answers_and_panics(ack: Option<Ack>) {
    ack.unwrap().send("mine").unwrap();
    panic!("a handler was asked to panic");
}

async fn answers_and_waits(ack: Ack) {
    ack.send("mine").unwrap();
    std::future::pending::<()>().await;
}

/// Drops a call that takes too long.
async fn patiently(event: Event, next: Next) -> Reply {
    let late = |_| Reply::error(Denied::new(DeniedKind::Timeout, "too late"));
    tokio::time::timeout(Duration::from_secs(1), next.run(event)).await.unwrap_or_else(late)
}

async fn answers_and_fails(ack: Ack) -> Result<(), Denied> {
    ack.send("mine").unwrap();
    Err(Denied::bad_request("too late"))
}

async fn shelves_and_panics(State(shelf): State<Shelf>, ack: Ack) {
    shelf.lock().unwrap().push(ack);
    panic!("a handler was asked to panic");
}

async fn shelves_and_waits(State(shelf): State<Shelf>, ack: Ack) {
    shelf.lock().unwrap().push(ack);
    std::future::pending::<()>().await;
}

async fn drops_and_fails(_: Ack) -> Result<(), Denied> {
    Err(Denied::bad_request("no"))
}

async fn flush(State(shelf): State<Shelf>) {
    for ack in std::mem::take(&mut *shelf.lock().unwrap()) {
        ack.send("from the shelf").unwrap();
    }
}

/// The answers to one question, and what else came, until a later question is answered.
async fn answers(gateway: Gateway, event: &str) -> Vec<Value> {
    let gateway = gateway
        .state(Shelf::default())
        .on("panics", answers_and_panics)
        .on("perhaps", perhaps_answers_and_panics)
        .on("fails", answers_and_fails)
        .on("late", answers_and_waits.layer(from_fn(patiently)))
        .on("shelved and late", shelves_and_waits.layer(from_fn(patiently)))
        .on("shelves", shelves_and_panics)
        .on("waits", shelves_and_waits.latest())
        .on("drops", drops_and_fails)
        .on("flush", flush);
    let mut served = served(gateway).await;
    let frame = |event: &str, id: u8| Frame::text(json!({"event": event, "id": id}).to_string());
    let mut sent = vec![frame(event, 1), frame("flush", 3)];
    if event == "waits" {
        // The newer one drops the older, whose ack lives on; and the newer is answered from the shelf.
        sent.insert(1, frame(event, 2));
    }
    for frame in sent {
        served.client.send_frame(frame).await.unwrap();
    }
    let mut came = Vec::new();
    loop {
        let frame: Value =
            serde_json::from_slice(served.client.next_frame().await.unwrap().payload()).unwrap();
        if frame["ack"] == 3 {
            return came;
        }
        came.push(frame);
    }
}

fn acks(came: &[Value]) -> Vec<&Value> {
    came.iter().filter(|frame| frame.get("ack").is_some()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_ack_is_answered_once_whatever_its_handler_does_afterwards() {
    let error = json!({"status": "error", "message": "Internal server error"});
    for event in ["panics", "perhaps", "fails", "late"] {
        let came = answers(Gateway::new(), event).await;
        assert_eq!(acks(&came), [&json!({"ack": 1, "data": "mine"})], "{event}: {came:?}");
        assert_eq!(came.iter().filter(|frame| frame["event"] == "exception").count(), 1, "{event}: {came:?}");
    }
    let came = answers(Gateway::new(), "shelves").await;
    assert_eq!(came, [json!({"ack": 1, "error": error})]);
    let came = answers(Gateway::new(), "shelved and late").await;
    assert_eq!(came, [json!({"ack": 1, "error": {"status": "error", "message": "too late"}})]);
    let came = answers(Gateway::new(), "waits").await;
    let superseded = json!({"status": "error", "message": "Superseded by a newer message"});
    assert_eq!(came, [json!({"ack": 1, "error": superseded}), json!({"ack": 2, "data": "from the shelf"})]);
}

#[tokio::test(start_paused = true)]
async fn a_filter_answers_for_a_handler_that_has_not() {
    let filtered = || Gateway::new().filter(async |_: Denied, _: Failed| "the filter's");
    let came = answers(filtered(), "drops").await;
    assert_eq!(came, [json!({"ack": 1, "data": "the filter's"})]);
    let came = answers(filtered(), "fails").await;
    assert_eq!(came, [json!({"ack": 1, "data": "mine"})]);
}

#[tokio::test(start_paused = true)]
async fn a_handlers_own_bounds_are_kept_before_anything_is_parsed() {
    async fn small(payload: narthex_core::Payload) -> usize {
        payload.len()
    }
    async fn open() -> bool {
        panic!("a guard saw what is too large")
    }
    let gateway = Gateway::new()
        .on("small", small.max_payload(10).guard(open))
        .on("flat", small.max_depth(2))
        .on(
            "either",
            small.max_payload(10).filter(async |denied: Denied, _: Failed| format!("{:?}", denied.kind())),
        )
        .fallback(async || Reply::none());
    let mut served = served(gateway).await;
    assert_eq!(served.refused("small", json!("123456789")).await, "The payload is larger than 10 bytes");
    assert_eq!(served.ask("flat", json!([[1], [2], "[[["])).await, json!(15));
    assert_eq!(served.refused("flat", json!([[[1]]])).await, "The payload nests deeper than 2 levels");
    assert_eq!(served.ask("either", json!("12345678")).await, json!(10));
    assert_eq!(served.ask("either", json!("123456789")).await, json!("TooLarge"));
}
