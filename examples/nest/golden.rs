//! The handlers behind NestJS's golden table, for frontends written for its raw WebSocket adapter.

use std::io;

use futures_util::stream;
use narthex::{
    Ack, Client, Denied, DeniedKind, Emit, Gateway, Handler, Json, Payload, Result,
    middleware::filters::{self, NestFilter},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// What `validated` and `hidden` take.
#[derive(Deserialize)]
struct Content {
    #[serde(rename = "content")]
    _content: String,
}

/// The golden table's handlers in the namespace `/nest`.
pub(crate) fn gateway() -> Gateway {
    let gateway = Gateway::new().namespace("/nest").filter(filters::nest());
    errors(streams(values(gateway)))
}

/// A second gateway for the same event: both answer, in this order.
pub(crate) fn second_gateway() -> Gateway {
    Gateway::new().namespace("/nest").filter(filters::nest()).on("both", async || "second")
}

/// Data goes back as it came, byte for byte, and stays absent where it was.
fn values(gateway: Gateway) -> Gateway {
    let emit = |event: &'static str| move |data: Payload| async move { Emit::payload(event, data) };
    gateway
        .on("push", emit("pop"))
        .on("evt", emit("evt-reply"))
        .on("echo", emit("echo"))
        .on("evtBare", async || Emit::bare("evt-reply"))
        .on("str", async || "pong")
        .on("zero", async || 0)
        .on("no", async || false)
        .on("empty", async || "")
        .on("null", async || ())
        .on("obj", |Json(d): Json<Box<RawValue>>| async move { Json(json!({"a": 1, "d": d})) })
        .on("id", |Json(data): Json<Value>| async move { id(&data) })
        .on("int", |Json(data): Json<Value>| async move { int(&data) })
        .on("ack", ack)
        .on("ackEvt", ack_and_emit)
        .on("both", async || "first")
        .on("join", join)
}

/// The member `id`, absent where the data has none or is no object.
fn id(data: &Value) -> Json<Value> {
    Json(data.get("id").map_or_else(|| json!({}), |id| json!({ "id": id })))
}

fn int(data: &Value) -> Result<Json<i64>, Denied> {
    let text = data.get("id").and_then(Value::as_str).unwrap_or_default();
    text.parse().map(Json).map_err(|_| Denied::bad_request("Validation failed (numeric string is expected)"))
}

/// A handler that answers by itself: what it returns is sent where nobody asked.
async fn ack(ack: Ack, data: Payload) -> Result<Json<Value>> {
    ack.send(&json!({ "got": data }))?;
    Ok(Json(json!({"status": "ignored"})))
}

async fn ack_and_emit(ack: Ack) -> Result<Emit> {
    ack.send(&1)?;
    Ok(Emit::new("x", &1))
}

/// NestJS has no rooms on raw WebSocket; here every door has them.
async fn join(client: Client, Json(room): Json<String>) -> Result<Json<Vec<String>>> {
    client.join(&room)?;
    Ok(Json(client.rooms()))
}

fn streams(gateway: Gateway) -> Gateway {
    use narthex::Streamed;

    gateway
        .on("stream", async || Streamed::new(stream::iter((1..=3).map(|n| Emit::new("stream", &n)))))
        .on("letters", async || Streamed::new(stream::iter(["a", "b", "c"])))
        .on("mid", async || {
            let items = [Ok(Emit::new("s", &1)), Err(Denied::bad_request("mid"))];
            Streamed::new(stream::iter(items))
        })
}

fn errors(gateway: Gateway) -> Gateway {
    let list = json!([
        "content must be shorter than or equal to 1000 characters",
        "content must be longer than or equal to 1 characters",
        "content must be a string"
    ]);
    let boom = |message: &'static str| move || async move { Err::<(), _>(Denied::bad_request(message)) };
    gateway
        .on("wsStr", boom("boom"))
        .on("wsObj", async || Denied::json(DeniedKind::BadRequest, &json!({"code": 42, "message": "m"})))
        .on("wsList", move || {
            let list = list.clone();
            async move { Denied::json(DeniedKind::BadRequest, &list) }
        })
        .on("badRequest", boom("no such colour"))
        .on("error", async || Err::<(), _>(io::Error::other("secret")))
        .on("panic", panics)
        .on("guarded", (async || "never").guard(async || false))
        .on("forbidden", (async || "never").guard(async || Err::<(), _>(Denied::forbidden("Not yours"))))
        .on("noCause", boom("nc").filter(NestFilter::new().without_cause().build()))
        .on("validated", valid)
        .on("hidden", valid.filter(NestFilter::new().hiding_bad_requests().build()))
}

async fn valid(_: Json<Content>) -> &'static str {
    "valid"
}

async fn panics() {
    panic!("the lab was asked to panic");
}
