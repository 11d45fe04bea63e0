//! Payloads that keep their rules, behind every door.

use futures_util::{SinkExt, StreamExt};
use garde::Validate;
use narthex::{Gateway, Handler, Server, middleware::Valid};
use narthex_conformance::{Arrive, Peer};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::kit::{ask, hear, open, say};

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Say {
    #[garde(length(chars, min = 1, max = 5))]
    content: String,
}

#[derive(Deserialize, Validate)]
struct Pair(#[garde(dive)] Say, #[garde(range(max = 9))] u8);

fn gateway() -> Gateway {
    let say = async |Valid(say): Valid<Say>| say.content;
    let pair = async |Valid(Pair(say, number)): Valid<Pair>| format!("{} {number}", say.content);
    Gateway::new()
        .on("say", say)
        .on("small", say.max_payload(20))
        .on("flat", say.max_depth(1))
        .on("pair", pair)
}

/// The one fault of a payload, as it is told to who asks and to who does not.
async fn fault(peer: &dyn Peer, event: &str, data: &Value) -> Value {
    say(peer, json!({ "event": event, "data": data, "id": 1 })).await;
    let mut answer = hear(peer).await;
    say(peer, json!({ "event": event, "data": data })).await;
    let exception = hear(peer).await;
    assert_eq!(exception, json!({ "event": "exception", "data": answer["error"] }));
    let mut error = answer["error"].take();
    assert_eq!((&error["status"], &error["message"]), (&json!("error"), &json!("Validation failed")));
    assert_eq!(error["errors"].as_array().unwrap().len(), 1, "{error}");
    error["errors"][0].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_told_where_behind_every_door() {
    let street = open(Server::new(gateway())).await;
    for door in street.doors() {
        let peer = street.enter(door, &Arrive::at("/")).await;
        assert_eq!(ask(&*peer, "say", json!({ "content": "üüüüü" })).await, Ok(json!("üüüüü")), "{door}");
        assert_eq!(ask(&*peer, "pair", json!([{ "content": "a" }, 7])).await, Ok(json!("a 7")), "{door}");
        for (event, data, path, message) in [
            ("say", json!({ "content": "" }), "content", "length is lower than 1"),
            ("say", json!({ "content": "a", "role": "admin" }), "role", "unknown field"),
            ("say", json!({ "content": 7 }), "content", "expected another type"),
            ("say", json!({}), "content", "missing field"),
            ("pair", json!([{ "content": "a" }, 10]), "[1]", "greater than 9"),
            ("pair", json!([{ "content": "toolong" }, 1]), "[0].content", "length is greater than 5"),
        ] {
            let told = fault(&*peer, event, &data).await;
            assert_eq!(told, json!({ "path": path, "message": message }), "{door}: {data}");
        }
        let large = "The payload is larger than 20 bytes";
        assert_eq!(
            ask(&*peer, "small", json!({ "content": "toolong" })).await,
            Err(large.to_owned()),
            "{door}"
        );
        let deep = "The payload nests deeper than 1 levels";
        assert_eq!(ask(&*peer, "flat", json!({ "content": [] })).await, Err(deep.to_owned()), "{door}");
        peer.close(1000, "").await;
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_arguments_of_a_socketio_client_are_checked_as_one_array() {
    let street = open(Server::new(gateway())).await;
    let addr = street.bound.local_addr().unwrap();
    let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket");
    let (mut socket, _) = connect_async(url).await.unwrap();
    socket.send(Message::text("40")).await.unwrap();
    // Events are for a namespace that was let in.
    while !socket.next().await.unwrap().unwrap().into_text().unwrap().starts_with("40") {}
    for packet in [r#"421["pair",{"content":"a"},7]"#, r#"422["pair",{"content":""},7]"#] {
        socket.send(Message::text(packet)).await.unwrap();
    }
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let heard = socket.next().await.unwrap().unwrap().into_text().unwrap();
        answers.extend(heard.strip_prefix("43").map(str::to_owned));
    }
    assert_eq!(answers[0], r#"1["a 7"]"#);
    let error: Value = serde_json::from_str(answers[1].strip_prefix('2').unwrap()).unwrap();
    assert_eq!(error[0]["errors"], json!([{ "path": "[0].content", "message": "length is lower than 1" }]));
    socket.close(None).await.unwrap();
    street.bound.drain().await.unwrap();
}
