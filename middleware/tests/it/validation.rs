//! Payloads that keep their rules, and what is told of those that do not.

use std::collections::HashMap;

use garde::Validate;
use narthex_core::{Attach, Client, Denied, Event, Failed, Frame, Gateway, Handler, TestClient, TestServer};
use narthex_middleware::{
    filters,
    from_fn::{Next, from_fn},
    validation::{Invalid, Valid},
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

#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct Shapes {
    color: Option<Color>,
    pair: Option<(u8, u8)>,
    ratio: Option<f64>,
    own: Option<Own>,
    #[garde(custom(quotes))]
    quoted: Option<String>,
    #[garde(custom(never))]
    panics: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Other(u8),
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Own;

impl TryFrom<String> for Own {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("{text} is not one of ours"))
    }
}

/// A rule that says more than it should.
fn quotes(value: &Option<String>, (): &()) -> garde::Result {
    value.as_ref().map_or(Ok(()), |value| Err(garde::Error::new(value)))
}

fn never(value: &Option<u8>, (): &()) -> garde::Result {
    assert!(value.is_none(), "a rule was asked to panic");
    Ok(())
}

async fn shapes(Valid(shapes): Valid<Shapes>) -> String {
    let color = match shapes.color {
        Some(Color::Red) => "red".to_owned(),
        Some(Color::Other(number)) => format!("number {number}"),
        None => "none".to_owned(),
    };
    format!("{color} {:?} {:?} {}", shapes.pair, shapes.ratio, shapes.own.is_some())
}

#[tokio::test(start_paused = true)]
async fn what_serde_says_of_a_value_is_told_without_the_value() {
    let (_server, mut client) = served(Gateway::new().on("say", shapes)).await;
    let fits = json!({"color": {"other": 7}, "pair": [1, 2], "ratio": 0.5});
    assert_eq!(client.ask::<String>("say", &fits).await.unwrap(), "number 7 Some((1, 2)) Some(0.5) false");
    for (payload, expected) in [
        (r#"{"color":"secret"}"#, "color: unknown variant"),
        (r#"{"color":{"other":"secret"}}"#, "color.other: expected another type"),
        (r#"{"pair":[1]}"#, "pair: expected another length"),
        (r#"{"pair":[1,256]}"#, "pair[1]: expected another value"),
        (r#"{"ratio":1e999}"#, "ratio: expected another value"),
        (r#"{"own":"secret"}"#, "own: expected another value"),
        (r#"{"ratio":1,"ratio":2}"#, "ratio: duplicate field"),
        (r#"[]"#, ": expected another length"),
    ] {
        let payload: &serde_json::value::RawValue = serde_json::from_str(payload).unwrap();
        let error = client.ask_value("say", payload).await.unwrap().unwrap_err();
        let fault = &error["errors"][0];
        let told = format!("{}: {}", fault["path"].as_str().unwrap(), fault["message"].as_str().unwrap());
        assert_eq!(told, expected, "{payload}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_cut_and_has_no_control_characters() {
    let (_server, mut client) = served(Gateway::new().on("say", shapes)).await;
    let told = faults(&mut client, &json!({"quoted": "\u{7}ü".repeat(1000)})).await;
    assert_eq!(told, [format!("quoted: {}", "\u{fffd}ü".repeat(128))]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_panics_is_an_internal_failure() {
    let (server, mut client) = served(Gateway::new().on("say", shapes)).await;
    let error = client.ask_value("say", &json!({"panics": 1})).await.unwrap().unwrap_err();
    assert_eq!(error, json!({"status": "error", "message": "Internal server error"}));
    assert_eq!(server.stats().panics, 1);
}

#[tokio::test(start_paused = true)]
async fn faults_that_are_not_told_are_counted() {
    let (_server, mut client) = served(Gateway::new().on("say", say)).await;
    let payload = |faults| json!({"content": "a", "tags": vec![json!({"weight": 10}); faults]});
    for (faults, more) in [(32, Value::Null), (40, json!(8))] {
        let error = client.ask_value("say", &payload(faults)).await.unwrap().unwrap_err();
        assert_eq!((error["errors"].as_array().unwrap().len(), &error["more"]), (32, &more));
    }
}

#[tokio::test(start_paused = true)]
async fn rules_look_at_what_is_known_of_the_client() {
    async fn promote(client: Client) {
        client.set_data(Bounds { most: 9 });
    }
    let handler = async |Valid(Bounded { text }): Valid<Bounded>| text;
    let gateway = Gateway::new()
        .state(Bounds { most: 1 })
        .connect_guard(async || Attach(Bounds { most: 3 }))
        .on("promote", promote)
        .on("say", handler);
    let (_server, mut client) = served(gateway).await;
    assert_eq!(client.ask::<String>("say", &json!({"text": "abc"})).await.unwrap(), "abc");
    assert_eq!(faults(&mut client, &json!({"text": "abcd"})).await, ["text: too long"]);
    client.ask::<Value>("promote", &()).await.unwrap();
    assert_eq!(client.ask::<String>("say", &json!({"text": "abcd"})).await.unwrap(), "abcd");
}

#[tokio::test(start_paused = true)]
async fn a_filter_may_tell_of_the_faults_in_other_words() {
    async fn in_one_line(denied: Denied, _: Failed) -> Denied {
        let invalid = denied.source().unwrap().downcast_ref::<Invalid>().unwrap();
        let faults = invalid.faults().iter().map(|fault| format!("{} {}", fault.path(), fault.message()));
        let text = faults.collect::<Vec<_>>().join(", ");
        Denied::bad_request(text)
    }
    let filter = filters::for_error::<Invalid, _>(in_one_line);
    let (_server, mut client) = served(Gateway::new().filter(filter).on("say", say)).await;
    let payload = json!({"content": "", "tags": [{"weight": 10}]});
    let error = client.ask::<String>("say", &payload).await.unwrap_err();
    assert_eq!(error.to_string(), "content length is lower than 1, tags[0].weight greater than 9");
    let error = client.ask::<String>("say", &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "content missing field");
}
