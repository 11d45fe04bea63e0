//! Payloads that keep their rules, and what is told of those that do not.

use std::collections::HashMap;

use garde::Validate;
use narthex_core::{Event, Frame, Gateway, Handler, TestClient, TestServer};
use narthex_middleware::{
    from_fn::{Next, from_fn},
    validation::Valid,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Say {
    #[garde(length(chars, min = 1, max = 5))]
    content: String,
    #[garde(dive)]
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Tag {
    #[garde(range(max = 9))]
    weight: u8,
}

async fn say(Valid(Say { content, tags }): Valid<Say>) -> String {
    let weight: u32 = tags.iter().map(|tag| u32::from(tag.weight)).sum();
    format!("{content} {weight}")
}

async fn served(gateway: Gateway) -> (TestServer, TestClient) {
    let server = TestServer::new(gateway).await.unwrap();
    let client = server.connect().await.unwrap();
    (server, client)
}

/// The faults of a payload, as `path: message`.
async fn faults(client: &mut TestClient, payload: &Value) -> Vec<String> {
    let error = client.ask_value("say", payload).await.unwrap().unwrap_err();
    assert_eq!((&error["status"], &error["message"]), (&json!("error"), &json!("Validation failed")));
    let faults = error["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    faults.map(|fault| format!("{}: {}", text(&fault["path"]), text(&fault["message"]))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_keeps_its_rules_reaches_the_handler() {
    let (_server, mut client) = served(Gateway::new().on("say", say)).await;
    let payload = json!({"content": "üüüüü", "tags": [{"weight": 9}, {"weight": 1}]});
    assert_eq!(client.ask::<String>("say", &payload).await.unwrap(), "üüüüü 10");
}

#[tokio::test(start_paused = true)]
async fn every_broken_rule_is_told_with_its_path() {
    let (_server, mut client) = served(Gateway::new().on("say", say)).await;
    let payload = json!({"content": "", "tags": [{"weight": 1}, {"weight": 10}]});
    let expected = ["content: length is lower than 1", "tags[1].weight: greater than 9"];
    assert_eq!(faults(&mut client, &payload).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_payload_of_another_shape_is_told_where_in_our_own_words() {
    let (_server, mut client) = served(Gateway::new().on("say", say)).await;
    for (payload, expected) in [
        (json!(null), ": expected another type"),
        (json!("secret"), ": expected another type"),
        (json!({}), "content: missing field"),
        (json!({"content": {"secret": 1}}), "content: expected another type"),
        (json!({"content": "a", "more": 1}), "more: unknown field"),
        (json!({"content": "a", "tags": [{"weight": 1}, {}]}), "tags[1].weight: missing field"),
        (json!({"content": "a", "tags": [{"weight": 1, "x": 1}]}), "tags[0].x: unknown field"),
        (json!({"content": "a", "tags": [{"weight": "secret"}]}), "tags[0].weight: expected another type"),
        (json!({"content": "a", "tags": [{"weight": 256}]}), "tags[0].weight: expected another value"),
        (json!({"content": "a", "tags": 7}), "tags: expected another type"),
    ] {
        assert_eq!(faults(&mut client, &payload).await, [expected], "{payload}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_and_their_paths_have_a_bound() {
    #[derive(Deserialize, Validate)]
    #[serde(transparent)]
    struct Many(#[garde(dive)] HashMap<String, Vec<Tag>>);
    let handler = async |_: Valid<Many>| {};
    let (_server, mut client) = served(Gateway::new().on("say", handler)).await;
    let told = faults(&mut client, &json!({ "k": vec![json!({"weight": 10}); 1000] })).await;
    assert_eq!(told.len(), 32);
    let told = faults(&mut client, &json!({ "k".repeat(10_000): [{"weight": 10}] })).await;
    assert_eq!((told.len(), told[0].len()), (1, 128 + ": greater than 9".len()));
    let told = faults(&mut client, &json!({ "k".repeat(10_000): [7] })).await;
    assert_eq!(told, [format!("{}: expected another type", "k".repeat(128))]);
}

#[derive(Clone)]
struct Bounds {
    most: usize,
}

#[derive(Deserialize, Validate)]
#[garde(context(Bounds))]
struct Bounded {
    #[garde(custom(within))]
    text: String,
}

fn within(text: &str, bounds: &Bounds) -> garde::Result {
    if text.len() <= bounds.most { Ok(()) } else { Err(garde::Error::new("too long")) }
}

#[tokio::test(start_paused = true)]
async fn rules_look_at_the_state_or_at_what_a_layer_has_said() {
    let stricter = from_fn(|mut event: Event, next: Next| {
        event.extensions_mut().insert(Bounds { most: 1 });
        next.run(event)
    });
    let handler = async |Valid(Bounded { text }): Valid<Bounded>| text;
    let gateway =
        Gateway::new().state(Bounds { most: 3 }).on("loose", handler).on("say", handler.layer(stricter));
    let (_server, mut client) = served(gateway).await;
    assert_eq!(client.ask::<String>("loose", &json!({"text": "abc"})).await.unwrap(), "abc");
    assert_eq!(faults(&mut client, &json!({"text": "abc"})).await, ["text: too long"]);
    let missing = TestServer::new(Gateway::new().on("say", handler)).await.unwrap_err();
    assert!(missing.to_string().contains("Bounds"), "{missing}");
}

#[tokio::test(start_paused = true)]
async fn bytes_are_no_payload_with_rules() {
    let (_server, mut client) = served(Gateway::new().on("say", say)).await;
    // The binary form of the event `say`, asking for an answer (docs/wire.md).
    let mut frame = vec![1, 1, 0, 3];
    frame.extend(b"say");
    frame.extend(9_u64.to_be_bytes());
    frame.push(255);
    client.send_frame(Frame::binary(frame)).await.unwrap();
    let answer: Value = serde_json::from_slice(client.next_frame().await.unwrap().payload()).unwrap();
    assert_eq!(answer["error"]["errors"][0]["message"], "expected JSON, not bytes");
}
