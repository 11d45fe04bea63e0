//! Several handlers behind one event.

use narthex_core::{
    Client, Denied, Event, Extension, Failed, Gateway, Handler, HandlerDef, Metadata, Reply, State,
};
use narthex_middleware::map_reply;
use serde_json::{Value, json};

use super::{Served, refusal, served};

/// The place that the payload names.
fn named(event: &Event) -> Result<usize, Denied> {
    event.message().payload().parse().map_err(|_| Denied::bad_request("name a place"))
}

async fn refused(served: &mut Served, place: Value) -> String {
    served.client.ask::<Value>("e", &place).await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn each_message_goes_to_the_handler_that_is_chosen() {
    let choices = [(async || "one").into_def(), (async || "two").into_def()];
    let mut served = served(Gateway::new().on("e", HandlerDef::choose(choices, named))).await;
    assert_eq!(served.ask("e", json!(0)).await, json!("one"));
    assert_eq!(served.ask("e", json!(1)).await, json!("two"));
    assert_eq!(served.ask("e", json!(0)).await, json!("one"));
}

#[tokio::test(start_paused = true)]
async fn who_has_no_handler_or_cannot_be_told_is_answered() {
    let choices = [(async || "one").into_def()];
    let mut served = served(Gateway::new().on("e", HandlerDef::choose(choices, named))).await;
    assert!(refused(&mut served, json!(1)).await.contains("Unknown event"));
    assert!(refused(&mut served, json!("x")).await.contains("name a place"));
    assert_eq!(served.ask("e", json!(0)).await, json!("one"));
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_panics_ends_the_call_alone() {
    let choose = |event: &Event| match named(event) {
        Ok(0) => panic!("no"),
        other => other.map(|at| at - 1),
    };
    let choices = [(async || "one").into_def()];
    let mut served = served(Gateway::new().on("e", HandlerDef::choose(choices, choose))).await;
    assert!(refused(&mut served, json!(0)).await.contains("Internal server error"));
    assert_eq!(served.ask("e", json!(1)).await, json!("one"));
}

#[tokio::test(start_paused = true)]
async fn the_chosen_handler_keeps_its_guard_its_layer_its_filter_and_its_bound() {
    async fn sorry(_: Denied, _: Failed) -> &'static str {
        "sorry"
    }
    let echo = async |Extension(who): Extension<&'static str>| who;
    let choices = [
        (async || "open").into_def(),
        (async || "shut").guard(async || false),
        (async || "inner").layer(map_reply(|_: &Event| |_: Reply| "outer")),
        (async || Err::<(), _>(Denied::forbidden("no"))).filter(sorry),
        (async || "small").max_payload(0),
        echo.guard(async || narthex_core::Attach("guarded")),
    ];
    let mut served = served(Gateway::new().on("e", HandlerDef::choose(choices, named))).await;
    assert_eq!(served.ask("e", json!(0)).await, json!("open"));
    assert!(refused(&mut served, json!(1)).await.contains("Forbidden"));
    assert_eq!(served.ask("e", json!(2)).await, json!("outer"));
    assert_eq!(served.ask("e", json!(3)).await, json!("sorry"));
    assert!(refused(&mut served, json!(4)).await.contains("larger than 0 bytes"));
    assert_eq!(served.ask("e", json!(5)).await, json!("guarded"));
}

#[tokio::test(start_paused = true)]
async fn the_chosen_handlers_metadata_go_before_the_wholes() {
    async fn both(Metadata(text): Metadata<&'static str>, Metadata(number): Metadata<u8>) -> String {
        format!("{text} {number}")
    }
    let choices = [both.metadata("own"), both.into_def()];
    let whole = HandlerDef::choose(choices, named).metadata("whole");
    let mut served = served(Gateway::new().metadata(7_u8).on("e", whole)).await;
    assert_eq!(served.ask("e", json!(0)).await, json!("own 7"));
    assert_eq!(served.ask("e", json!(1)).await, json!("whole 7"));
}

#[tokio::test(start_paused = true)]
async fn what_any_of_them_needs_must_be_given() {
    async fn needy(State(n): State<u8>) -> u8 {
        n
    }
    let choices = || HandlerDef::choose([(async |_: Client| 0).into_def(), needy.into_def()], named);
    let why = refusal(Gateway::new().on("e", choices())).await;
    assert!(why.contains("State<u8>"), "{why}");
    let mut served = served(Gateway::new().state(7_u8).on("e", choices())).await;
    assert_eq!(served.ask("e", Value::from(1)).await, json!(7));
}
