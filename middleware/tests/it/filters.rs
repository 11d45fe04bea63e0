//! Filters for some errors, and errors as events.

use narthex_core::{Denied, DeniedKind, Emit, Failed, Gateway, Handler, Json, Reply, TestClient, TestServer};
use narthex_middleware::filters::{self, ErrorEvent};
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
