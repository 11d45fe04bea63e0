//! The handlers behind NestJS's golden table, for frontends written for its raw WebSocket adapter.

use std::io;

use futures_util::stream;
use narthex::{
    Ack, Denied, DeniedKind, Emit, Gateway, Handler, Json,
    middleware::filters::{self, NestFilter},
};
use serde_json::{Value, json};

/// The golden table's handlers in the namespace `/nest`.
pub(crate) fn gateway() -> Gateway {
    let gateway = Gateway::new().namespace("/nest").filter(filters::nest());
    errors(streams(values(gateway)))
}

/// A second gateway for the same event: both answer, in this order.
pub(crate) fn second_gateway() -> Gateway {
    Gateway::new().namespace("/nest").filter(filters::nest()).on("both", async || "second")
}

fn values(gateway: Gateway) -> Gateway {
    gateway
        .on("push", |Json(data): Json<Value>| async move { Emit::new("pop", &data) })
        .on("str", async || "pong")
        .on("zero", async || 0)
        .on("no", async || false)
        .on("empty", async || "")
        .on("null", async || ())
        .on("obj", |Json(d): Json<Value>| async move { Json(json!({"a": 1, "d": d})) })
        .on("evt", |Json(data): Json<Value>| async move { Emit::new("evt-reply", &data) })
        .on("evtBare", async || Emit::bare("evt-reply"))
        .on("id", |Json(data): Json<Value>| async move { Json(json!({"id": data.get("id")})) })
        .on("int", |Json(data): Json<Value>| async move { int(&data) })
        .on("ack", |_: Ack| async { Json(json!({"status": "ignored"})) })
        .on("ackEvt", |_: Ack| async { Emit::new("x", &1) })
        .on("both", async || "first")
        .on("echo", |Json(data): Json<Value>| async move { Emit::new("echo", &data) })
}

fn int(data: &Value) -> Result<Json<i64>, Denied> {
    let text = data.get("id").and_then(Value::as_str).unwrap_or_default();
    text.parse().map(Json).map_err(|_| Denied::bad_request("Validation failed (numeric string is expected)"))
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
        .on("error", async || Err::<(), _>(io::Error::other("secret")))
        .on("panic", panics)
        .on("guarded", (async || "never").guard(async || false))
        .on("noCause", boom("nc").filter(NestFilter::new().without_cause().build()))
        .on("int64", |Json(n): Json<i64>| async move { n })
}

async fn panics() {
    panic!("the lab was asked to panic");
}
