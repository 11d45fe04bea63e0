//! Events, replies, acks, and an interceptor.

use std::time::Duration;

use narthex::middleware::from_fn::{Next, from_fn};
use narthex::{
    Ack, Client, Denied, Emit, Event, EventName, Extension, Failed, Gateway, Handler, Json, Payload,
};
use narthex::{Reply, Streamed};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

/// `@SubscribeMessage('push')` that returns `{ event: 'pop', data }`.
pub(crate) fn pop(gateway: Gateway) -> Gateway {
    gateway.on("push", |data: Payload| async { Emit::payload("pop", data) })
}

/// The default namespace, at the port that the pages have too.
pub(crate) fn shared() -> Gateway {
    pop(Gateway::new())
        .layer(from_fn(keep_pattern))
        .on("getClient", get_client)
        .on("getClientWithError", fails.filter(tell_pattern))
        .on("join", join)
        .on("slow", slow)
        .on("slowAtOnce", slow.concurrent(8))
        .on("deep", deep)
}

/// The pattern of the current message, `getPattern()`.
#[derive(Clone)]
struct Current(String);

/// An interceptor: what it puts on the event, handlers take.
async fn keep_pattern(mut event: Event, next: Next) -> Reply {
    if let Some(pattern) = event.pattern().map(str::to_owned) {
        event.extensions_mut().insert(Current(pattern));
    }
    next.run(event).await
}

#[derive(Serialize)]
struct Found {
    id: String,
    path: String,
}

async fn get_client(client: Client, Extension(Current(path)): Extension<Current>) -> Emit {
    Emit::new("popClient", &Found { id: client.id().to_string(), path })
}

/// An observable that fails.
async fn fails() -> Streamed {
    let failed: [Result<(), Denied>; 1] = [Err(Denied::bad_request("This is a test exception"))];
    Streamed::new(futures_util::stream::iter(failed))
}

/// An exception filter that says which message it was.
async fn tell_pattern(denied: Denied, failed: Failed) -> Emit {
    Emit::new("exception", &json!({ "pattern": failed.event.as_str(), "message": denied.message() }))
}

async fn join(client: Client, Json(room): Json<String>) -> Result<(), Denied> {
    Ok(client.join(&room)?)
}

async fn slow(Json(milliseconds): Json<u64>) -> Emit {
    tokio::time::sleep(Duration::from_millis(milliseconds.min(1000))).await;
    Emit::new("slow", &milliseconds)
}

/// More nested than any message that is read may be.
async fn deep() -> serde_json::Result<Json<Box<RawValue>>> {
    const LEVELS: usize = 100_000;
    RawValue::from_string("[".repeat(LEVELS) + &"]".repeat(LEVELS)).map(Json)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manual {
    should_succeed: bool,
}

/// Answers to who asked for one.
pub(crate) fn acks() -> Gateway {
    Gateway::new().namespace("/ack").on("push", async || "pong").on("manual-ack", manual).on("whoami", named)
}

/// `@Ack() ack`: the handler answers by itself, and what it returns is not the answer.
async fn manual(ack: Ack, Json(data): Json<Manual>) -> Result<&'static str, Denied> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    match data.should_succeed {
        true => ack.send(&json!({ "status": "success", "data": data }))?,
        false => ack.send(&json!({ "status": "error", "message": "Operation failed" }))?,
    }
    Ok("ignored")
}

/// The callback knows the event that it is called for.
async fn named(event: EventName) -> String {
    event.as_str().to_owned()
}
