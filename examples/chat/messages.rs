//! What travels: what clients ask for, and what they are told.

use std::time::{SystemTime, UNIX_EPOCH};

use garde::Validate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `join-room`, `leave-room`, `typing`, `members`.
#[derive(Debug, Deserialize)]
pub(crate) struct InRoom {
    pub(crate) room: String,
}

/// `send-message`; without a room it is for everybody.
#[derive(Debug, Deserialize, Validate)]
pub(crate) struct SendMessage {
    #[garde(skip)]
    pub(crate) room: Option<String>,
    #[garde(length(chars, min = 1, max = 1000))]
    pub(crate) content: String,
}

/// `private-message`, as a client sends it.
#[derive(Debug, Deserialize, Validate)]
pub(crate) struct SendPrivate {
    #[garde(skip)]
    pub(crate) to: String,
    #[garde(length(chars, min = 1, max = 1000))]
    pub(crate) content: String,
}

/// Who is meant: the answer to `whoami`, an entry of `members`, the sender of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sender {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// `new-message`, `recent-messages`, and what the store keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChatMessage {
    /// Ids grow with time, so that a page can put messages in order by them.
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) room: Option<String>,
    pub(crate) sender: Sender,
    /// Milliseconds since 1970.
    pub(crate) timestamp: u64,
}

impl ChatMessage {
    pub(crate) fn new(room: Option<String>, sender: Sender, content: String) -> Self {
        Self { id: message_id(), content, room, sender, timestamp: now() }
    }

    /// The room under which the message is kept; no room has an empty name.
    pub(crate) fn room_key(&self) -> &str {
        self.room.as_deref().unwrap_or_default()
    }
}

/// `private-message`, as its receiver gets it. It is not kept.
#[derive(Debug, Serialize)]
pub(crate) struct PrivateMessage {
    pub(crate) id: String,
    pub(crate) from: Sender,
    pub(crate) content: String,
    pub(crate) timestamp: u64,
}

impl PrivateMessage {
    pub(crate) fn new(from: Sender, content: String) -> Self {
        Self { id: message_id(), from, content, timestamp: now() }
    }
}

/// `user-joined`, `user-left`, `user-typing`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Presence {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) room: String,
}

/// The answer to `join-room` and `leave-room`.
#[derive(Debug, Serialize)]
pub(crate) struct RoomStatus {
    status: &'static str,
    room: String,
}

impl RoomStatus {
    pub(crate) fn ok(room: String) -> Self {
        Self { status: "ok", room }
    }
}

/// The answer to `send-message` and `private-message`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    status: &'static str,
    message_id: String,
}

impl Sent {
    pub(crate) fn ok(message_id: String) -> Self {
        Self { status: "ok", message_id }
    }
}

fn message_id() -> String {
    Uuid::now_v7().to_string()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
