use std::borrow::Cow;

use bytes::Bytes;
use futures_util::stream;
use narthex_core::{Denied, DeniedKind, Emit, Error, ErrorKind, Frame, Gateway, Json, Reply, Streamed};
use serde_json::{Value, json};

use super::{Served, served};

#[tokio::test(start_paused = true)]
async fn plain_values_answer_as_json() {
    let gateway = Gateway::new()
        .on("string", async || "a".to_owned())
        .on("str", async || "b")
        .on("cow", async || Cow::Borrowed("c"))
        .on("bool", async || true)
        .on("big", async || u64::MAX)
        .on("float", async || 1.5_f64)
        .on("value", async || json!({"v": null}))
        .on("json", async || Json(vec![1, 2]));
    let mut served = served(gateway).await;
    for (event, answer) in [
        ("string", json!("a")),
        ("str", json!("b")),
        ("cow", json!("c")),
        ("bool", json!(true)),
        ("big", json!(u64::MAX)),
        ("float", json!(1.5)),
        ("value", json!({"v": null})),
        ("json", json!([1, 2])),
    ] {
        assert_eq!(served.ask(event, Value::Null).await, answer, "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_and_none_answer_without_data() {
    let gateway = Gateway::new()
        .on("nothing", async || ())
        .on("none", async || None::<String>)
        .on("some", async || Some("some"));
    let mut served = served(gateway).await;
    assert_eq!(served.ask("nothing", Value::Null).await, Value::Null);
    assert_eq!(served.ask("none", Value::Null).await, Value::Null);
    assert_eq!(served.ask("some", Value::Null).await, json!("some"));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_no_question_asked_for_is_not_sent() {
    let mut served = served(Gateway::new().on("v", async || "v").on("e", async || Emit::bare("e"))).await;
    served.client.emit("v", &0).await.unwrap();
    served.client.emit("e", &0).await.unwrap();
    assert_eq!(served.client.next().await.unwrap().event, "e");
}

#[tokio::test(start_paused = true)]
async fn results_answer_with_the_value_or_with_the_error() {
    async fn half(Json(n): Json<u8>) -> Result<u8, Denied> {
        if n % 2 == 0 { Ok(n / 2) } else { Err(Denied::bad_request("odd")) }
    }
    async fn unexpected() -> Result<(), std::io::Error> {
        Err(std::io::Error::other("secret"))
    }
    let mut served = served(Gateway::new().on("half", half).on("io", unexpected)).await;
    assert_eq!(served.ask("half", json!(8)).await, json!(4));
    assert_eq!(served.refused("half", json!(7)).await, "odd");
    assert_eq!(served.refused("io", Value::Null).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn our_own_errors_are_told_where_they_are_the_clients_doing() {
    async fn limit() -> Result<(), Error> {
        Err(Error::new(ErrorKind::Limit, "too many rooms"))
    }
    async fn gone() -> Result<(), Error> {
        Err(Error::new(ErrorKind::Disconnected, "the other one is gone"))
    }
    let mut served = served(Gateway::new().on("limit", limit).on("gone", gone)).await;
    assert_eq!(served.refused("limit", Value::Null).await, "too many rooms");
    assert_eq!(served.refused("gone", Value::Null).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn an_error_may_have_a_body_of_its_own() {
    async fn check() -> Result<(), Denied> {
        Err(Denied::json(DeniedKind::BadRequest, &json!({"fields": ["name"]})))
    }
    let mut served = served(Gateway::new().on("check", check)).await;
    let answer = served.client.ask_value("check", &0).await.unwrap();
    assert_eq!(answer, Err(json!({"fields": ["name"]})));
    served.client.emit("check", &0).await.unwrap();
    assert_eq!(served.client.expect("exception").await.unwrap(), json!({"fields": ["name"]}));
}

#[tokio::test(start_paused = true)]
async fn an_emit_is_an_event_to_the_sender_and_the_question_is_answered_empty() {
    let mut served = served(Gateway::new().on("ping", async || Emit::new("pong", &1))).await;
    assert_eq!(served.ask("ping", Value::Null).await, Value::Null);
    assert_eq!(served.client.expect("pong").await.unwrap(), json!(1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_as_json_is_an_internal_failure() {
    struct Unwritable;
    impl serde::Serialize for Unwritable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("a secret"))
        }
    }
    let gateway =
        Gateway::new().on("json", async || Json(Unwritable)).on("emit", async || Emit::new("e", &Unwritable));
    let mut served = served(gateway).await;
    assert_eq!(served.refused("json", Value::Null).await, "Internal server error");
    assert_eq!(served.refused("emit", Value::Null).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn several_replies_go_out_in_order_and_the_first_value_answers() {
    async fn many() -> Reply {
        let value = |n: u8| Reply::value(narthex_core::Payload::json(&n).unwrap());
        Reply::many(vec![
            Reply::emit(Emit::new("n", &1)),
            value(2),
            value(3),
            Reply::emit(Emit::new("n", &4)),
        ])
    }
    let mut served = served(Gateway::new().on("many", many)).await;
    assert_eq!(served.ask("many", Value::Null).await, json!(2));
    assert_eq!(served.client.expect("n").await.unwrap(), json!(1));
    assert_eq!(served.client.expect("n").await.unwrap(), json!(4));
    assert_eq!(served.server.stats().values_dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_results_ends_with_its_first_error() {
    async fn numbers() -> Streamed {
        Streamed::new(stream::iter([Ok(1), Err(Denied::bad_request("enough")), Ok(2)]))
    }
    let mut served = served(Gateway::new().on("numbers", numbers)).await;
    assert_eq!(served.ask("numbers", Value::Null).await, json!(1));
    assert_eq!(served.client.expect("exception").await.unwrap()["message"], "enough");
    assert_eq!(served.server.stats().values_dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_answer_as_bytes() {
    let Served { mut client, .. } =
        served(Gateway::new().on("b", async || Bytes::from_static(&[0, 255]))).await;
    client.send_frame(Frame::text(r#"{"event":"b","id":1}"#)).await.unwrap();
    let answer = client.ask_value("b", &0).await.unwrap();
    assert_eq!(answer, Ok(json!([0, 255])));
}
