//! Parameters in the path, `@WsParam()`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use narthex::{Emit, Gateway, Json, Path};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `path: '/chat/:roomId/socket'`.
pub(crate) fn rooms() -> Gateway {
    Gateway::new().namespace("/chat/{roomId}/socket").on("join", join).on("getParams", all)
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Joined {
    room_id: String,
    message: String,
    timestamp: u64,
}

async fn join(Path(room_id): Path<String>, Json(Said { message }): Json<Said>) -> Emit {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Emit::new("joined", &Joined { room_id, message, timestamp: now.as_secs() })
}

/// `@WsParam()` without a name.
async fn all(Path(params): Path<BTreeMap<String, String>>, Json(data): Json<Value>) -> Emit {
    Emit::new("allParams", &json!({ "params": params, "receivedData": data }))
}

/// Several parameters, read by name. They are text, whatever they look like.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seat {
    game_id: String,
    room_id: String,
    player_id: String,
}

/// `path: '/game/:gameId/room/:roomId/player/:playerId/socket'`.
pub(crate) fn games() -> Gateway {
    Gateway::new()
        .namespace("/game/{gameId}/room/{roomId}/player/{playerId}/socket")
        .on("move", move_piece)
        .on("status", status)
}

#[derive(Serialize)]
struct Moved<'a> {
    #[serde(flatten)]
    seat: Seat,
    #[serde(rename = "move")]
    step: &'a Value,
}

async fn move_piece(Path(seat): Path<Seat>, Json(step): Json<Value>) -> Emit {
    Emit::new("moveProcessed", &Moved { seat, step: &step })
}

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    seat: Seat,
    status: &'static str,
}

async fn status(Path(seat): Path<Seat>) -> Emit {
    Emit::new("statusUpdate", &Status { seat, status: "active" })
}
