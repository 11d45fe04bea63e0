//! The REST API.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, Method, StatusCode, Uri, header},
    routing::{delete, get, post},
};
use serde_json::{Map, Value};

use crate::messages::{Message, room_id};
use crate::refusal::Refusal;
use crate::rooms::Rooms;

/// How long a room's id may be, in bytes.
const MAX_ROOM_ID: usize = 100;

/// What clients read as something else than a room's messages.
const RESERVED: [&str; 13] = [
    "connect",
    "connect_error",
    "connect_timeout",
    "disconnect",
    "disconnecting",
    "error",
    "exception",
    "newListener",
    "ping",
    "pong",
    "reconnect",
    "reconnecting",
    "removeListener",
];

pub(crate) fn router(rooms: Rooms) -> Router {
    Router::new()
        .route("/api/v1/rooms", post(open))
        .route("/api/v1/rooms/{room}", delete(close))
        .route("/api/v1/rooms/{room}/messages", get(messages))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(rooms)
}

async fn open(
    State(rooms): State<Rooms>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    let body = body.map_err(|refused| Refusal::Plain(refused.status(), refused.body_text().into()))?;
    let body = object(&headers, &body)?;
    let (room, creator) = (text(&body, "roomId").and_then(allowed), text(&body, "creatorUsername"));
    let (room, creator) = match (room, creator) {
        (Ok(room), Ok(creator)) => (room, creator),
        (room, creator) => {
            let faults: Vec<_> = room.err().into_iter().chain(creator.err()).collect();
            return Err(Refusal::bad_request(faults));
        }
    };
    match rooms.open(&room, &creator).await? {
        true => Ok(StatusCode::CREATED),
        false => Err(Refusal::conflict(&room)),
    }
}

/// The members of a body; none where it is not said to be JSON.
fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if body.is_empty() || !kind.eq_ignore_ascii_case("application/json") {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Ok(Map::new()),
        Ok(_) => Err(Refusal::bad_request("The body is neither an object nor an array")),
        Err(error) => Err(Refusal::bad_request(error.to_string())),
    }
}

fn text(body: &Map<String, Value>, name: &str) -> Result<String, String> {
    match body.get(name) {
        None | Some(Value::Null) => Err(format!("{name} should not be empty")),
        Some(Value::String(text)) if text.is_empty() => Err(format!("{name} should not be empty")),
        Some(value) => room_id(value).ok_or_else(|| format!("{name} must be a string")),
    }
}

fn allowed(room: String) -> Result<String, String> {
    if room.len() > MAX_ROOM_ID || room.chars().any(char::is_control) {
        return Err(format!("roomId must have {MAX_ROOM_ID} bytes at the most and no control characters"));
    }
    if RESERVED.contains(&room.as_str()) || room.starts_with("participants/") {
        return Err("roomId must not be the name of another event".to_owned());
    }
    Ok(room)
}

async fn messages(
    State(rooms): State<Rooms>,
    room: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Vec<Message>>, Refusal> {
    let Query(query) = query.map_err(|refused| Refusal::bad_request(refused.body_text()))?;
    let (from, to) = (index(&query, "fromIndex")?, index(&query, "toIndex")?);
    if from < 1 || to < 1 {
        return Err(Refusal::parameters("'fromIndex' and 'toIndex' must be positive"));
    }
    if to < from {
        return Err(Refusal::parameters("'toIndex' must no not be less than 'fromIndex'"));
    }
    let messages = rooms.messages(&named(room)?, from.unsigned_abs(), to.unsigned_abs()).await?;
    messages.map(Json).ok_or_else(Refusal::forbidden)
}

async fn close(
    State(rooms): State<Rooms>,
    room: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let room = named(room)?;
    match rooms.close(&room).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::not_found(&room)),
    }
}

fn named(room: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    room.map(|Path(room)| room).map_err(|refused| Refusal::bad_request(refused.body_text()))
}

fn index(query: &[(String, String)], name: &str) -> Result<i64, Refusal> {
    let mut values = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = match (values.next(), values.next()) {
        (Some(value), None) => integer(value),
        _ => None,
    };
    value.ok_or_else(|| Refusal::bad_request("Validation failed (numeric string is expected)"))
}

/// The integer that a number begins with: of 1.5 it is 1.
fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let digits = text.trim_start_matches(['+', '-']);
    let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
    let number = match digits {
        "" => 0,
        // It is beyond all messages.
        digits => digits.parse().unwrap_or(i64::MAX),
    };
    Some(if text.starts_with('-') { -number } else { number })
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    Refusal::Plain(StatusCode::NOT_FOUND, format!("Cannot {method} {path}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_a_number_and_what_it_begins_with_counts() {
        let read = ["1", " 2 ", "1.5", "1e3", "-1", "0", ".5", "99999999999999999999"].map(integer);
        let expected = [1, 2, 1, 1, -1, 0, 0, i64::MAX].map(Some);
        assert_eq!(read, expected);
        for text in ["", "a", "1a", "inf", "NaN", "--1", "1e999", "0x1", "1 2"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn names_of_other_events_are_no_rooms() {
        for name in ["connect", "disconnect", "error", "exception", "participants/3XX", "a\nb"] {
            assert!(allowed(name.to_owned()).is_err(), "{name}");
        }
        assert!(allowed("3XX".to_owned()).is_ok() && allowed("x".repeat(MAX_ROOM_ID + 1)).is_err());
    }
}
