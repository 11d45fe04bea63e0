//! The lab's events in the default envelope.

use std::time::Duration;

use narthex::{Client, ClientId, Denied, Emit, Gateway, Handshake, Hub, Json, Path, Payload, Query, Result};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

#[derive(Deserialize)]
struct Room {
    room: String,
}

#[derive(Deserialize)]
struct Publish {
    room: String,
    #[serde(default)]
    data: Box<RawValue>,
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

/// Gives its data back, parsed and written again.
async fn echo(Json(data): Json<Box<RawValue>>) -> Json<Box<RawValue>> {
    Json(data)
}

/// Gives a frame back as it is.
pub(crate) async fn raw(payload: Payload) -> Payload {
    payload
}

async fn join(client: Client, Json(Room { room }): Json<Room>) -> Result<Json<Value>> {
    client.join(&room)?;
    Ok(Json(serde_json::json!({ "room": room })))
}

async fn leave(client: Client, Json(Room { room }): Json<Room>) {
    client.leave(&room);
}

async fn publish(
    client: Client,
    hub: Hub,
    Json(Publish { room, data }): Json<Publish>,
) -> Result<Json<usize>, Denied> {
    if !client.is_in(&room) {
        return Err(Denied::forbidden("Only members may publish"));
    }
    Ok(Json(hub.to(&room).emit("message", &data)?))
}

async fn members(hub: Hub, Json(Room { room }): Json<Room>) -> Json<Vec<ClientId>> {
    Json(hub.to(&room).clients().iter().map(Client::id).collect())
}

async fn whoami(client: Client) -> Json<ClientId> {
    Json(client.id())
}

async fn slow(Json(Slow { ms }): Json<Slow>) -> Json<u64> {
    tokio::time::sleep(Duration::from_millis(ms.min(60_000))).await;
    Json(ms)
}

async fn panics() {
    panic!("the lab was asked to panic");
}

/// Asks the client back, and returns its answer.
async fn ask(client: Client, Json(question): Json<Value>) -> Result<Json<Value>, Denied> {
    Ok(Json(client.emit_with_ack("ask", &question, Duration::from_secs(5)).await?))
}

/// Asks a client that has little time.
async fn hurry(client: Client) -> Result<Json<Value>, Denied> {
    Ok(Json(client.emit_with_ack("hurry", &1, Duration::from_millis(50)).await?))
}

/// Tells the others in a room.
async fn tell(client: Client, Json(Publish { room, data }): Json<Publish>) -> Result<Json<usize>> {
    Ok(Json(client.to(&room).emit("message", &data)?))
}

/// Many events of which each is of no use once there is a later one.
async fn ticks(client: Client, Json(count): Json<u32>) -> Result<()> {
    (0..count.min(10_000)).try_for_each(|n| client.emit_volatile("tick", &n))
}

/// Ends the connection, with all of its namespaces.
async fn kick(client: Client) {
    client.disconnect_connection(1000, "kicked");
}

/// What the client came with: the query, and the header `x-lab`.
async fn came_with(handshake: Handshake, Query(query): Query<Value>) -> Json<Value> {
    let header = handshake.header("x-lab").and_then(|value| value.to_str().map(str::to_owned).ok());
    Json(serde_json::json!({ "query": query, "header": header }))
}

async fn which(Path(game): Path<String>) -> String {
    game
}

/// A namespace with a parameter.
pub(crate) fn game() -> Gateway {
    Gateway::new()
        .namespace("/game/{id}")
        .on("which", which)
        .on("handshake", came_with)
        .on("join", join)
        .on("tell", tell)
        .on("kick", kick)
}

/// Says what came with the connect, as the suites of the Socket.IO protocol ask for.
async fn auth(client: Client, handshake: Handshake) -> Result<()> {
    match handshake.auth() {
        Some(auth) => client.emit_payload("auth", &Payload::Json(auth.clone())),
        None => client.emit("auth", &serde_json::json!({})),
    }
}

/// What the suites of the Socket.IO protocol expect of a namespace.
pub(crate) fn protocol(gateway: Gateway) -> Gateway {
    gateway
        .on_connect(auth)
        .on("message", |payload: Payload| async { Emit::payload("message-back", payload) })
        .on("message-with-ack", raw)
}

pub(crate) fn gateway() -> Gateway {
    Gateway::new()
        .on("echo", echo)
        .on("join", join)
        .on("leave", leave)
        .on("publish", publish)
        .on("members", members)
        .on("whoami", whoami)
        .on("slow", slow)
        .on("panic", panics)
        .on("ask", ask)
        .on("hurry", hurry)
        .on("tell", tell)
        .on("ticks", ticks)
        .on("kick", kick)
        .on("handshake", came_with)
}
