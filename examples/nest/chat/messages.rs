//! What travels.

use std::time::{SystemTime, UNIX_EPOCH};

use garde::Validate;
use narthex::Client;
use narthex::middleware::auth::Claims;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Member;

/// `join-room`, `leave-room`, `typing`.
#[derive(Deserialize)]
pub(super) struct InRoom {
    pub(super) room: String,
}

/// `send-message`, `SendMessageDto`: without a room it is for everybody.
#[derive(Deserialize, Validate)]
pub(super) struct SendMessage {
    #[garde(skip)]
    pub(super) room: Option<String>,
    #[garde(length(chars, min = 1, max = 1000))]
    pub(super) content: String,
}

/// `room-message`: to the others in a room, and not kept.
#[derive(Deserialize, Validate)]
pub(super) struct RoomMessage {
    #[garde(skip)]
    pub(super) room: String,
    #[garde(length(chars, min = 1, max = 1000))]
    pub(super) content: String,
}

/// `private-message`: to one client.
#[derive(Deserialize, Validate)]
pub(super) struct PrivateMessage {
    #[garde(skip)]
    pub(super) to: String,
    #[garde(length(chars, min = 1, max = 1000))]
    pub(super) content: String,
}

#[derive(Clone, Default, Serialize)]
pub(super) struct Sender {
    id: String,
    name: String,
}

impl Sender {
    pub(super) fn new(client: &Client, member: &Claims<Member>) -> Self {
        Self { id: client.id().to_string(), name: member.name.clone() }
    }
}

/// `new-message`, `room-message`, `private-message`, an entry of `recent-messages`.
#[derive(Clone, Serialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<String>,
    sender: Sender,
    /// Milliseconds since 1970.
    timestamp: u64,
}

impl Message {
    pub(super) fn new(room: Option<String>, sender: Sender, content: String) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self { id: Uuid::now_v7().to_string(), content, room, sender, timestamp }
    }
}

/// `user-joined`, `user-left`, `user-typing`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Presence<'a> {
    user_id: String,
    room: &'a str,
}

impl<'a> Presence<'a> {
    pub(super) fn new(client: &Client, room: &'a str) -> Self {
        Self { user_id: client.id().to_string(), room }
    }
}

/// The answer to what was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
}

impl Done {
    pub(super) fn room(room: String) -> Self {
        Self { status: "ok", room: Some(room), message_id: None }
    }

    pub(super) fn message(id: String) -> Self {
        Self { status: "ok", room: None, message_id: Some(id) }
    }
}
