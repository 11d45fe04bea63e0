//! Routes that are about sockets: who asks is joined to a room, if it may be.

use std::sync::PoisonError;

use axum::{
    Json, Router,
    extract::Request,
    http::StatusCode,
    routing::{get, post},
};
use narthex::{Client, Hub};
use serde_json::{Value, json};

use crate::session::Session;

type Answer = (StatusCode, Json<Value>);

pub(crate) fn router() -> Router {
    Router::new()
        .route("/login", post(login))
        .route("/message/subscribe", get(subscribe).post(subscribe))
        .route("/message", post(publish))
}

fn answer(status: StatusCode, body: Value) -> Answer {
    (status, Json(body))
}

/// The user that the session of a request has, where it came over a socket.
fn user(request: &Request) -> Option<String> {
    let session = request.extensions().get::<Session>()?;
    session.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whoever asks is somebody: an example has no passwords.
async fn login(request: Request) -> Answer {
    match request.extensions().get::<Session>() {
        Some(session) => {
            *session.user.lock().unwrap_or_else(PoisonError::into_inner) = Some("operator".to_owned());
            answer(StatusCode::OK, json!({"success": true}))
        }
        None => answer(StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized", "statusCode": 401})),
    }
}

/// Only the socket that asks joins, and only where somebody has logged in.
async fn subscribe(request: Request) -> Answer {
    let (Some(_), Some(client)) = (user(&request), request.extensions().get::<Client>()) else {
        let body = json!({"message": "You are not authorized to subscribe!", "statusCode": 403});
        return answer(StatusCode::FORBIDDEN, body);
    };
    match client.join("Message") {
        Ok(()) => answer(StatusCode::OK, json!({"success": true})),
        Err(error) => answer(StatusCode::CONFLICT, json!({"message": error.to_string(), "statusCode": 409})),
    }
}

/// Tells the room, for whoever is in it.
async fn publish(request: Request) -> Answer {
    let (Some(from), Some(hub)) = (user(&request), request.extensions().get::<Hub>()) else {
        return answer(StatusCode::FORBIDDEN, json!({"message": "Forbidden", "statusCode": 403}));
    };
    let told = hub.to("Message").emit("message", &json!({"op": "messageSent", "speakerId": from}));
    answer(StatusCode::OK, json!({"told": told.unwrap_or_default()}))
}
