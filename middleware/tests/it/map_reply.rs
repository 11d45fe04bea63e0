use std::time::Duration;

use futures_util::stream;
use narthex_core::{
    Ack, Denied, Emit, Event, Gateway, Handler, IntoReply, Json, Payload, Reply, Streamed, TestClient,
    TestServer,
};
use narthex_middleware::map_reply;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

#[derive(Serialize)]
struct Wrapped {
    data: Payload,
}

async fn connected(gateway: Gateway) -> (TestServer, TestClient) {
    let server = TestServer::new(gateway).await.unwrap();
    let client = server.connect().await.unwrap();
    (server, client)
}

/// What an interceptor does: values are wrapped, emits get another name.
fn dressed(gateway: Gateway) -> Gateway {
    gateway.layer(map_reply(|_: &Event| {
        |reply: Reply| {
            let reply = reply.map_values(|data| Json(Wrapped { data }));
            reply.map_emits(|emit| {
                let event = format!("my-{}", emit.event());
                emit.with_event(event)
            })
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn values_and_emits_are_mapped_and_nothing_and_failures_are_left_alone() {
    let gateway = Gateway::new()
        .on("value", async || json!([1, 2]))
        .on("bytes", async || bytes::Bytes::from_static(&[1, 2]))
        .on("emit", async || Emit::new("news", &1))
        .on("nothing", async || ())
        .on("fails", async || Err::<(), _>(Denied::bad_request("no")));
    let (_server, mut client) = connected(dressed(gateway)).await;
    for (event, answer) in [
        ("value", Ok(json!({ "data": [1, 2] }))),
        ("bytes", Ok(json!({ "data": [1, 2] }))),
        ("nothing", Ok(Value::Null)),
        ("fails", Err(json!({ "status": "error", "message": "no" }))),
    ] {
        assert_eq!(client.ask_value(event, &()).await.unwrap(), answer, "{event}");
    }
    client.emit("emit", &()).await.unwrap();
    assert_eq!(client.expect("my-news").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_of_several_and_each_item_of_a_stream_is_mapped() {
    async fn several() -> Reply {
        Reply::many(vec![Emit::new("a", &1).into_reply(), "b".into_reply(), Emit::new("c", &3).into_reply()])
    }
    async fn streamed() -> Streamed {
        Streamed::new(stream::iter([several().await, Emit::bare("d").into_reply()]))
    }
    let gateway = Gateway::new().on("several", several).on("streamed", streamed);
    let (_server, mut client) = connected(dressed(gateway)).await;
    assert_eq!(client.ask::<Value>("several", &()).await.unwrap(), json!({ "data": "b" }));
    assert_eq!(client.ask::<Value>("streamed", &()).await.unwrap(), json!({ "data": "b" }));
    for event in ["my-a", "my-c", "my-a", "my-c", "my-d"] {
        assert_eq!(client.next().await.unwrap().event, event);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_the_event_is_there_for_its_reply() {
    let layer = map_reply(|event: &Event| {
        let (name, start) = (event.name().clone(), Instant::now());
        move |reply: Reply| {
            reply.map_values(move |_| Json(json!({ "of": name.as_str(), "took": start.elapsed().as_secs() })))
        }
    });
    let slow = async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        "done"
    };
    let (_server, mut client) = connected(Gateway::new().layer(layer).on("slow", slow)).await;
    assert_eq!(client.ask::<Value>("slow", &()).await.unwrap(), json!({ "of": "slow", "took": 2 }));
}

#[tokio::test(start_paused = true)]
async fn failures_are_mapped_where_that_is_asked_for_and_a_failed_stream_ends_all_the_same() {
    let softer =
        map_reply(|_: &Event| |reply: Reply| reply.map_errors(|denied| Emit::new("sorry", denied.message())));
    let fails = async || Err::<(), _>(Denied::bad_request("no"));
    let streams = async || {
        let failed: Result<Emit, _> = Err(Denied::bad_request("half way"));
        Streamed::new(stream::iter([Ok(Emit::bare("first")), failed, Ok(Emit::bare("never"))]))
    };
    let gateway = Gateway::new().layer(softer).on("fails", fails).on("streams", streams);
    let (_server, mut client) = connected(gateway).await;
    client.emit("fails", &()).await.unwrap();
    assert_eq!(client.expect("sorry").await.unwrap(), "no");
    client.emit("streams", &()).await.unwrap();
    client.expect("first").await.unwrap();
    assert_eq!(client.expect("sorry").await.unwrap(), "half way");
    assert!(client.next().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_handler_that_took_its_ack_stays_the_answer() {
    let (give, mut given) = mpsc::unbounded_channel::<Ack>();
    let takes = move |ack: Ack| {
        give.send(ack).unwrap();
        async { "not the answer" }
    };
    let (_server, mut client) = connected(dressed(Gateway::new().on("takes", takes))).await;
    let (answer, ()) = tokio::join!(client.ask::<Value>("takes", &()), async {
        let ack = given.recv().await.unwrap();
        // Until then nobody has anything left to do: a wrong answer would be there.
        tokio::time::sleep(Duration::from_secs(1)).await;
        ack.send("mine").unwrap();
    });
    assert_eq!(answer.unwrap(), "mine");
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_fails_or_panics_answers_the_message() {
    let strict = map_reply(|_: &Event| {
        |reply: Reply| reply.map_values(|_| Err::<(), _>(Denied::forbidden("not for you")))
    });
    let panics = map_reply(|_: &Event| |_: Reply| -> Reply { panic!("a secret") });
    let in_stream = map_reply(|_: &Event| {
        |reply: Reply| reply.map_emits(|emit| -> Emit { panic!("a secret: {emit:?}") })
    });
    let gateway = Gateway::new()
        .on("strict", (async || 1).layer(strict))
        .on("panics", (async || 1).layer(panics))
        .on("streams", (async || Streamed::new(stream::iter([Emit::bare("a")]))).layer(in_stream));
    let (_server, mut client) = connected(gateway).await;
    for (event, message) in
        [("strict", "not for you"), ("panics", "Internal server error"), ("streams", "Internal server error")]
    {
        let error = client.ask_value(event, &()).await.unwrap().unwrap_err();
        assert_eq!(error["message"], message, "{event}");
    }
}
