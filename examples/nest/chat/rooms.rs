//! The handlers, and which rooms a client is in.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use narthex::middleware::auth::Claims;
use narthex::middleware::validation::Valid;
use narthex::{Client, Denied, Hub, Json, State};

use super::Member;
use super::history::History;
use super::messages::{Done, InRoom, Message, Presence, PrivateMessage, RoomMessage, SendMessage, Sender};

/// The rooms that are told when a client goes: it is in none any more then. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Rooms(Arc<Mutex<BTreeSet<String>>>);

impl Rooms {
    pub(super) fn of(client: &Client) -> Self {
        client.data().unwrap_or_default()
    }

    pub(super) fn leave_all(&self) -> BTreeSet<String> {
        self.with(std::mem::take)
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `join-room`: the others see who came, the one who came sees what was said.
pub(super) async fn join(
    client: Client,
    State(history): State<History>,
    Json(InRoom { room }): Json<InRoom>,
) -> Result<Json<Done>, Denied> {
    client.join(&room)?;
    if Rooms::of(&client).with(|rooms| rooms.insert(room.clone())) {
        client.to(&room).emit("user-joined", &Presence::new(&client, &room))?;
    }
    client.emit("recent-messages", &history.recent(&room))?;
    Ok(Json(Done::room(room)))
}

/// `leave-room`: leaving a room one is not in changes nothing.
pub(super) async fn leave(
    client: Client,
    hub: Hub,
    Json(InRoom { room }): Json<InRoom>,
) -> Result<Json<Done>, Denied> {
    client.leave(&room);
    if Rooms::of(&client).with(|rooms| rooms.remove(&room)) {
        tell_left(&hub, &client, &room)?;
    }
    Ok(Json(Done::room(room)))
}

pub(super) fn tell_left(hub: &Hub, client: &Client, room: &str) -> Result<(), Denied> {
    hub.to(room).except(client.id()).emit("user-left", &Presence::new(client, room))?;
    Ok(())
}

/// `send-message`: to a room, its sender included, and kept there; without a room to everybody, and not kept.
pub(super) async fn send(
    client: Client,
    hub: Hub,
    member: Claims<Member>,
    State(history): State<History>,
    Valid(SendMessage { room, content }): Valid<SendMessage>,
) -> Result<Json<Done>, Denied> {
    let message = Message::new(room, Sender::new(&client, &member), content);
    match &message.room {
        None => hub.emit("new-message", &message)?,
        Some(room) => {
            must_be_in(&client, room)?;
            if !history.push(room, message.clone()) {
                return Err(Denied::forbidden("there are too many rooms with a history"));
            }
            hub.to(room).emit("new-message", &message)?
        }
    };
    Ok(Json(Done::message(message.id)))
}

/// `room-message`: to the others in a room.
pub(super) async fn say(
    client: Client,
    member: Claims<Member>,
    Valid(RoomMessage { room, content }): Valid<RoomMessage>,
) -> Result<Json<Done>, Denied> {
    must_be_in(&client, &room)?;
    let message = Message::new(Some(room.clone()), Sender::new(&client, &member), content);
    client.to(&room).emit("room-message", &message)?;
    Ok(Json(Done::message(message.id)))
}

/// `private-message`: to one client, by its id.
pub(super) async fn whisper(
    client: Client,
    hub: Hub,
    member: Claims<Member>,
    Valid(PrivateMessage { to, content }): Valid<PrivateMessage>,
) -> Result<Json<Done>, Denied> {
    let receiver = to.parse().ok().and_then(|id| hub.get(id));
    let receiver = receiver.ok_or_else(|| Denied::not_found("there is no such client"))?;
    let message = Message::new(None, Sender::new(&client, &member), content);
    receiver.emit("private-message", &message)?;
    Ok(Json(Done::message(message.id)))
}

/// `typing`: one need not be in the room to be seen typing at its door.
pub(super) async fn typing(client: Client, Json(InRoom { room }): Json<InRoom>) -> Result<(), Denied> {
    client.to(&room).emit("user-typing", &Presence::new(&client, &room))?;
    Ok(())
}

fn must_be_in(client: &Client, room: &str) -> Result<(), Denied> {
    if client.is_in(room) { Ok(()) } else { Err(Denied::forbidden("join the room first")) }
}
