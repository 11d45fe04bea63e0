//! Filters for some errors, and errors as events.

use std::{error::Error, io};

use futures_util::stream;
use narthex_core::{
    Ack, Denied, DeniedKind, Emit, Failed, Frame, Gateway, Handler, Json, Reply, Server, Streamed,
    TestClient, TestServer,
};
use narthex_middleware::filters::{self, ErrorEvent, NestFilter};
use serde_json::{Value, json};

async fn refuses(Json(kind): Json<String>) -> Result<(), Denied> {
    Err(match kind.as_str() {
        "forbidden" => Denied::forbidden("not you"),
        "missing" => Denied::not_found("not there"),
        "io" => Denied::from(std::io::Error::other("the disk is /dev/secret")),
        "body" => Denied::json(DeniedKind::Conflict, &json!({"code": 7})),
        _ => Denied::from(std::fmt::Error),
    })
}

async fn served(gateway: Gateway) -> (TestServer, TestClient) {
    let server = TestServer::new(gateway.on("refuses", refuses)).await.unwrap();
    let client = server.connect().await.unwrap();
    (server, client)
}

#[tokio::test(start_paused = true)]
async fn a_filter_for_some_kinds_or_some_errors_leaves_the_others_to_the_next() {
    async fn of_kind(denied: Denied, _: Failed) -> String {
        format!("kind: {denied}")
    }
    async fn of_error(denied: Denied, _: Failed) -> String {
        format!("error: {denied}")
    }
    let handler = refuses.filter(filters::for_error::<std::io::Error, _>(of_error));
    let gateway =
        Gateway::new().filter(filters::for_kinds([DeniedKind::Forbidden], of_kind)).on("both", handler);
    let (_server, mut client) = served(gateway).await;
    assert_eq!(client.ask::<String>("both", "io").await.unwrap(), "error: Internal server error");
    assert_eq!(client.ask::<String>("both", "forbidden").await.unwrap(), "kind: not you");
    assert_eq!(client.ask::<String>("both", "missing").await.unwrap_err().to_string(), "not there");
    assert_eq!(client.ask::<String>("both", "fmt").await.unwrap_err().to_string(), "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn an_error_is_an_event_and_answers_who_asked() {
    let (_server, mut client) = served(Gateway::new().filter(filters::error_event())).await;
    let told = json!({"status": "error", "message": "not you"});
    assert_eq!(client.ask_value("refuses", "forbidden").await.unwrap(), Err(told.clone()));
    assert_eq!(client.expect("error").await.unwrap(), told);
    client.emit("refuses", "forbidden").await.unwrap();
    assert_eq!(client.expect("error").await.unwrap(), told);
    client.emit("refuses", "io").await.unwrap();
    let hidden = json!({"status": "error", "message": "Internal server error"});
    assert_eq!(client.expect("error").await.unwrap(), hidden);
    client.emit("refuses", "body").await.unwrap();
    assert_eq!(client.expect("error").await.unwrap(), json!({"code": 7}));
}

#[tokio::test(start_paused = true)]
async fn detail_is_told_in_development_alone() {
    let filter = ErrorEvent::new().development(true).build();
    let (_server, mut client) = served(Gateway::new().filter(filter)).await;
    client.emit("refuses", "io").await.unwrap();
    let told = client.expect("error").await.unwrap();
    let expected = json!({
        "status": "error",
        "message": "Internal server error",
        "kind": "Internal",
        "detail": ["the disk is /dev/secret"],
    });
    assert_eq!(told, expected);
    client.emit("refuses", "body").await.unwrap();
    let told = client.expect("error").await.unwrap();
    assert_eq!(told, json!({"code": 7, "kind": "Conflict", "detail": []}));
}

#[tokio::test(start_paused = true)]
async fn a_filter_may_emit_another_event_reply_or_say_nothing() {
    async fn emits(_: Denied, failed: Failed) -> Emit {
        Emit::new("other", failed.event.as_str())
    }
    let gateway = Gateway::new()
        .on("emits", refuses.filter(emits))
        .on("replies", refuses.filter(async |_: Denied, failed: Failed| failed.asked))
        .on("silent", refuses.filter(async |_: Denied, _: Failed| Reply::none()));
    let (_server, mut client) = served(gateway).await;
    client.emit("emits", "io").await.unwrap();
    assert_eq!(client.expect("other").await.unwrap(), "emits");
    assert!(client.ask::<bool>("replies", "io").await.unwrap());
    assert_eq!(client.ask::<Value>("silent", "io").await.unwrap(), Value::Null);
}

/// The frames that answer one message which asks, until a later one is answered.
async fn frames(client: &mut TestClient, event: &str, data: Value) -> Vec<Value> {
    for (event, data, id) in [(event, data, 1), ("end", Value::Null, 2)] {
        let frame = json!({"event": event, "data": data, "id": id});
        client.send_frame(Frame::text(frame.to_string())).await.unwrap();
    }
    let mut came = Vec::new();
    loop {
        let frame = client.next_frame().await.unwrap();
        let frame: Value = serde_json::from_slice(frame.payload()).unwrap();
        if frame["ack"] == 2 {
            return came;
        }
        came.push(frame);
    }
}

async fn end() {}

#[tokio::test(start_paused = true)]
async fn who_was_answered_before_the_failure_hears_of_it_by_the_event_alone() {
    async fn answers_and_fails(ack: Ack) -> Result<(), Denied> {
        ack.send("mine")?;
        Err(Denied::bad_request("too late"))
    }
    async fn items() -> Streamed {
        Streamed::new(stream::iter([Ok("mine"), Err(Denied::bad_request("too late"))]))
    }
    let gateway = Gateway::new()
        .filter(filters::error_event())
        .on("ack", answers_and_fails)
        .on("items", items)
        .on("end", end);
    let (_server, mut client) = served(gateway).await;
    let event = json!({"event": "error", "data": {"status": "error", "message": "too late"}});
    for asked in ["ack", "items"] {
        let came = frames(&mut client, asked, Value::Null).await;
        assert_eq!(came, [json!({"ack": 1, "data": "mine"}), event.clone()], "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_development_an_answer_has_no_detail_and_a_body_that_is_no_object_stays() {
    let filter = ErrorEvent::new().development(true).build();
    let list = async || Denied::json(DeniedKind::Conflict, &[1, 2]);
    let own = async || Denied::json(DeniedKind::Conflict, &json!({"kind": "own"}));
    let (_server, mut client) =
        served(Gateway::new().filter(filter).on("list", list).on("own", own).on("end", end)).await;
    let came = frames(&mut client, "refuses", json!("io")).await;
    let told = json!({"status": "error", "message": "Internal server error"});
    assert!(came.contains(&json!({"ack": 1, "error": told})), "{came:?}");
    client.emit("list", &()).await.unwrap();
    assert_eq!(client.expect("error").await.unwrap(), json!([1, 2]));
    client.emit("own", &()).await.unwrap();
    assert_eq!(client.expect("error").await.unwrap(), json!({"kind": "own", "detail": []}));
}

#[derive(Debug)]
struct Wrapped(io::Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_found_behind_the_ones_that_wrap_it() {
    let wrapped = async || Err::<(), _>(Wrapped(io::Error::other("secret")));
    let filter = filters::for_error::<io::Error, _>(async |_: Denied, _: Failed| "the disk's");
    let (_server, mut client) = served(Gateway::new().filter(filter).on("wrapped", wrapped)).await;
    assert_eq!(client.ask::<String>("wrapped", &()).await.unwrap(), "the disk's");
}

#[tokio::test(start_paused = true)]
async fn bad_requests_with_a_body_are_hidden_too_where_the_nest_filter_is_told_to_hide_them() {
    let filter = NestFilter::new().hiding_bad_requests().without_cause().build();
    let listed = async || Denied::json(DeniedKind::BadRequest, &json!({"errors": ["content"]}));
    let (_server, mut client) = served(Gateway::new().filter(filter).on("listed", listed)).await;
    client.emit("listed", &()).await.unwrap();
    let told = client.expect("exception").await.unwrap();
    assert_eq!(told, json!({"status": "error", "message": "Internal server error"}));
    client.emit("refuses", "body").await.unwrap();
    assert_eq!(client.expect("exception").await.unwrap(), json!({"code": 7}));
}

/// What one filter does with a failure, by the words in its payload.
async fn acts(denied: Denied, failed: Failed) -> Reply {
    match failed.payload.parse::<String>().unwrap().as_str() {
        "reply" => Reply::value(narthex_core::Payload::json("a reply").unwrap()),
        "emit" => Reply::emit(Emit::new("other", "an event")),
        "close" => {
            failed.client.disconnect(4000, "enough");
            Reply::none()
        }
        "in other words" => Reply::error(Denied::forbidden("other words")),
        _ => Reply::error(denied),
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_of_each_level_replies_emits_closes_or_passes_on() {
    async fn fails() -> Result<(), Denied> {
        Err(Denied::bad_request("the handler's"))
    }
    for level in ["handler", "gateway", "server"] {
        let mut gateway = Gateway::new().on("end", end);
        gateway = if level == "handler" {
            gateway.on("fails", fails.filter(acts))
        } else {
            gateway.on("fails", fails)
        };
        gateway = if level == "gateway" { gateway.filter(acts) } else { gateway };
        let server = Server::new(gateway);
        let server =
            TestServer::of(if level == "server" { server.filter(acts) } else { server }).await.unwrap();
        let mut client = server.connect().await.unwrap();
        let error = |message: &str| json!({"ack": 1, "error": {"status": "error", "message": message}});
        for (action, expected) in [
            ("reply", vec![json!({"ack": 1, "data": "a reply"})]),
            ("emit", vec![json!({"event": "other", "data": "an event"}), json!({"ack": 1})]),
            ("in other words", vec![error("other words")]),
            ("pass on", vec![error("the handler's")]),
        ] {
            assert_eq!(frames(&mut client, "fails", json!(action)).await, expected, "{level}: {action}");
        }
        client.emit("fails", "close").await.unwrap();
        assert_eq!(client.closed().await.unwrap().code(), 4000, "{level}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_among_several_replies_goes_through_all_filters() {
    async fn several() -> Reply {
        let failed = Reply::many(vec![Reply::none(), Reply::error(Denied::forbidden("not you"))]);
        Reply::many(vec![Reply::emit(Emit::new("first", &1)), failed])
    }
    async fn items() -> Reply {
        Reply::stream(stream::once(several()))
    }
    async fn tells_and_passes_on(denied: Denied, _: Failed) -> Reply {
        Reply::many(vec![Reply::emit(Emit::new("told", denied.message())), Reply::error(denied)])
    }
    async fn settles(denied: Denied, _: Failed) -> String {
        format!("settled: {denied}")
    }
    let gateway = Gateway::new()
        .filter(settles)
        .on("several", several.filter(tells_and_passes_on))
        .on("items", items.filter(tells_and_passes_on));
    let (_server, mut client) = served(gateway).await;
    for event in ["several", "items"] {
        assert_eq!(client.ask::<String>(event, &()).await.unwrap(), "settled: not you", "{event}");
        assert_eq!(client.expect("first").await.unwrap(), json!(1));
        assert_eq!(client.expect("told").await.unwrap(), json!("not you"));
    }
}
