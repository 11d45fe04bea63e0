//! What REST says where it says no.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;

use crate::store::StoreError;

/// A refusal.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `{"statusCode":…,"message":…,"error":…}`, where HTTP itself is the matter.
    Plain(StatusCode, Value),
    /// `{"code":…,"message":…}`, where rooms are.
    Coded(StatusCode, &'static str, String),
}

impl Refusal {
    pub(crate) fn bad_request(message: impl Into<Value>) -> Self {
        Self::Plain(StatusCode::BAD_REQUEST, message.into())
    }

    pub(crate) fn parameters(message: &str) -> Self {
        let message = format!("Invalid parameters, {message}");
        Self::Coded(StatusCode::BAD_REQUEST, "req-params.validation", message)
    }

    pub(crate) fn forbidden() -> Self {
        Self::Coded(StatusCode::FORBIDDEN, "access-forbidden", "The access is forbidden".to_owned())
    }

    pub(crate) fn conflict(room: &str) -> Self {
        Self::Coded(StatusCode::CONFLICT, "room.conflict", format!("Room with '{room}' already exists"))
    }

    pub(crate) fn not_found(room: &str) -> Self {
        // Its clients know this spelling.
        Self::Coded(StatusCode::NOT_FOUND, "room.not-fond", format!("Room with '{room}' not found"))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if let StoreError::Full = error {
            let message = "There are too many rooms".to_owned();
            return Self::Coded(StatusCode::SERVICE_UNAVAILABLE, "rooms.full", message);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
        Self::Plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".into())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    status_code: u16,
    message: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Serialize)]
struct Coded {
    code: &'static str,
    message: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Plain(status, message) => {
                let error = status.canonical_reason().filter(|_| status.is_client_error());
                (status, Json(Plain { status_code: status.as_u16(), message, error })).into_response()
            }
            Self::Coded(status, code, message) => (status, Json(Coded { code, message })).into_response(),
        }
    }
}
