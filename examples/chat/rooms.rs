//! Rooms: joining, leaving, talking, and seeing who is there.

use narthex::middleware::auth::Claims;
use narthex::middleware::validation::Valid;
use narthex::{Client, Denied, Hub, Json, State};

use crate::history::History;
use crate::login::Guest;
use crate::messages::{ChatMessage, InRoom, RoomStatus, SendMessage, Sender, Sent};
use crate::visitor::Visitor;

/// How many messages of its history a room shows to who joins.
const RECENT: usize = 50;

/// Rooms whose names begin with `staff:` are for those who gave the staff's password when they logged in.
pub(crate) async fn staff_only(guest: Claims<Guest>) -> Result<(), Denied> {
    if guest.staff { Ok(()) } else { Err(Denied::forbidden("this room is for the staff")) }
}

/// `join-room`: the others see who came, the one who came sees what was said.
pub(crate) async fn join(
    client: Client,
    State(history): State<History>,
    Json(InRoom { room }): Json<InRoom>,
) -> Result<Json<RoomStatus>, Denied> {
    let visitor = Visitor::of(&client)?;
    client.ask_to_join(&room).await?;
    if visitor.enter(&room) {
        client.to(&room).emit("user-joined", &visitor.presence(&room))?;
    }
    // Read after joining: a message may then come twice, as new and as recent, but none is missed.
    client.emit("recent-messages", &history.recent(&room, RECENT).await?)?;
    Ok(Json(RoomStatus::ok(room)))
}

/// `leave-room`: leaving a room one is not in changes nothing.
pub(crate) async fn leave(
    client: Client,
    Json(InRoom { room }): Json<InRoom>,
) -> Result<Json<RoomStatus>, Denied> {
    let visitor = Visitor::of(&client)?;
    client.leave(&room);
    if visitor.exit(&room) {
        client.to(&room).emit("user-left", &visitor.presence(&room))?;
    }
    Ok(Json(RoomStatus::ok(room)))
}

/// `send-message`: to a room, and kept there; without a room to everybody, and not kept.
///
/// Who has not joined a room is refused: a room is heard and spoken in by its members alone.
pub(crate) async fn send(
    client: Client,
    hub: Hub,
    State(history): State<History>,
    Valid(SendMessage { room, content }): Valid<SendMessage>,
) -> Result<Json<Sent>, Denied> {
    let message = ChatMessage::new(room, Visitor::of(&client)?.sender(), content);
    match &message.room {
        None => hub.emit("new-message", &message)?,
        Some(room) => {
            must_be_in(&client, room)?;
            if !history.append(message.clone()).await? {
                return Err(Denied::forbidden("there are too many rooms with a history"));
            }
            hub.to(room).emit("new-message", &message)?
        }
    };
    Ok(Json(Sent::ok(message.id)))
}

/// `typing`: one need not be in the room to be seen typing at its door.
pub(crate) async fn typing(client: Client, Json(InRoom { room }): Json<InRoom>) -> Result<(), Denied> {
    let visitor = Visitor::of(&client)?;
    client.to(&room).emit("user-typing", &visitor.presence(&room))?;
    Ok(())
}

/// `members`: who is in a room, for those who are in it.
pub(crate) async fn members(
    client: Client,
    hub: Hub,
    Json(InRoom { room }): Json<InRoom>,
) -> Result<Json<Vec<Sender>>, Denied> {
    must_be_in(&client, &room)?;
    let members = hub.to(&room).clients();
    Ok(Json(
        members.iter().filter_map(|member| Visitor::of(member).ok()).map(|member| member.sender()).collect(),
    ))
}

fn must_be_in(client: &Client, room: &str) -> Result<(), Denied> {
    if client.is_in(room) { Ok(()) } else { Err(Denied::forbidden("join the room first")) }
}
