//! The gateway: joining a room, talking in it, and leaving.

use narthex::{Client, Denied, DeniedKind, Failed, Gateway, Handler, Hub, Json, State};

use crate::messages::{Exchange, Participant, room_id};
use crate::rooms::{Refused, Rooms};

/// What a participant may tell of itself, in bytes: it is sent on whenever its room changes.
const MAX_PARTICIPANT: usize = 2 * 1024;

/// What one exchange may hold, in bytes.
const MAX_EXCHANGE: usize = 16 * 1024;

pub(crate) fn gateway(rooms: Rooms) -> Gateway {
    Gateway::new()
        .state(rooms)
        .on_init(async |hub: Hub, State(rooms): State<Rooms>| rooms.set_hub(hub))
        .on_disconnect(async |client: Client, State(rooms): State<Rooms>| rooms.leave(&client).await)
        .on("participants", participants.max_payload(MAX_PARTICIPANT))
        .on("exchanges", exchanges.max_payload(MAX_EXCHANGE))
        // Clients of the system that this one stands in for expect no answer to what it does not know.
        .fallback(async || ())
        .filter(tell_nothing)
}

/// `participants`: who asks for a room that is not there has to go.
async fn participants(
    client: Client,
    State(rooms): State<Rooms>,
    Json(participant): Json<Participant>,
) -> Result<(), Denied> {
    let entered = match participant.get("roomId").and_then(room_id) {
        Some(room) => rooms.enter(&client, &room, participant).await,
        None => Err(Refused::Unknown),
    };
    match entered {
        Err(Refused::Unknown) => {
            client.disconnect(1008, "The access is forbidden");
            Ok(())
        }
        Err(Refused::Denied(denied)) => Err(denied),
        Ok(()) => Ok(()),
    }
}

/// `exchanges`.
async fn exchanges(
    client: Client,
    State(rooms): State<Rooms>,
    Json(Exchange { room_id: room, said }): Json<Exchange>,
) -> Result<(), Denied> {
    let said = match room_id(&room) {
        Some(room) => rooms.say(&client, &room, said).await,
        None => Err(Refused::Unknown),
    };
    said.map_err(|refused| match refused {
        Refused::Unknown => Denied::not_found("There is no such room"),
        Refused::Denied(denied) => denied,
    })
}

/// Clients of the system that this one stands in for know one text for what they did wrong.
async fn tell_nothing(denied: Denied, _: Failed) -> Denied {
    match denied.kind() {
        kind @ (DeniedKind::BadRequest | DeniedKind::NotFound | DeniedKind::TooLarge) => {
            Denied::new(kind, "Internal server error")
        }
        _ => denied,
    }
}
