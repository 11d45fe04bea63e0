//! The complete chat: rooms with a history, private messages, a guard for a message, and a filter for everything.

mod history;
mod messages;
mod rooms;

use narthex::middleware::auth::{Claims, Credentials, JwtKey, JwtLayer};
use narthex::middleware::filters;
use narthex::{Client, Denied, DeniedKind, Failed, Gateway, Handler, Hub, Reply};
use serde::Deserialize;

use self::history::History;
use self::rooms::Rooms;

/// What a token says of a member, beside who it is (`sub`).
#[derive(Debug, Deserialize)]
struct Member {
    name: String,
}

/// The chat in `/chat`. Who has no token may come in and look; to speak, one is needed.
pub(crate) fn gateway(secret: &str, hide_faults: bool) -> narthex::Result<Gateway> {
    let credentials = Credentials::bearer().auth_payload("token");
    let login = JwtLayer::<Member>::new(JwtKey::hs256(secret)?).credentials(credentials).optional();
    Ok(Gateway::new()
        .namespace("/chat")
        .state(History::default())
        .handshake_layer(login)
        .filter(error_event(hide_faults))
        .on_connect(arrive)
        .on_disconnect(depart)
        .on("join-room", rooms::join.guard(authorized))
        .on("leave-room", rooms::leave.guard(authorized))
        .on("send-message", rooms::send.guard(authorized))
        .on("room-message", rooms::say.guard(authorized))
        .on("private-message", rooms::whisper.guard(authorized))
        .on("typing", rooms::typing))
}

/// The guard of what one needs a token for.
async fn authorized(member: Option<Claims<Member>>) -> Result<(), Denied> {
    member.map(drop).ok_or_else(|| Denied::unauthorized("Unauthorized"))
}

/// The catch-all filter: the event `error`. What is wrong with a payload is told, or hidden as NestJS's default does.
fn error_event(
    hide_faults: bool,
) -> impl Fn(Denied, Failed) -> std::future::Ready<Reply> + Clone + Send + Sync {
    let tell = filters::error_event();
    move |denied, failed| {
        let hidden = hide_faults && denied.kind() == DeniedKind::BadRequest;
        tell(if hidden { Denied::internal(denied.to_string()) } else { denied }, failed)
    }
}

async fn arrive(client: Client) {
    client.set_data(Rooms::default());
}

/// Whoever is gone has left its rooms.
async fn depart(client: Client, hub: Hub) -> Result<(), Denied> {
    for room in Rooms::of(&client).leave_all() {
        rooms::tell_left(&hub, &client, &room)?;
    }
    Ok(())
}
