//! The gateway: which event goes where, who may come in, and what is told when somebody goes.

use narthex::{Client, Denied, Gateway, Hub, Query};
use serde::Deserialize;

use crate::history::History;
use crate::text::check_name;
use crate::visitor::Visitor;
use crate::{private, rooms};

/// What the handshake's query says.
#[derive(Debug, Deserialize)]
struct Arrival {
    #[serde(default)]
    name: String,
}

/// The chat, on whatever doors it is opened.
pub(crate) fn chat(history: History) -> Gateway {
    Gateway::new()
        .namespace("/chat")
        .state(history)
        .connect_guard(has_a_name)
        .on_connect(arrive)
        .on_disconnect(depart)
        .on("whoami", private::whoami)
        .on("private-message", private::send)
        .on("join-room", rooms::join)
        .on("leave-room", rooms::leave)
        .on("send-message", rooms::send)
        .on("typing", rooms::typing)
        .on("members", rooms::members)
}

/// Refuses the handshake of a client without a name, or with one that is no name, by 400.
async fn has_a_name(Query(arrival): Query<Arrival>) -> Result<(), Denied> {
    check_name(&arrival.name)
}

async fn arrive(client: Client, Query(arrival): Query<Arrival>) {
    client.set_data(Visitor::new(&client, arrival.name));
}

async fn depart(client: Client, hub: Hub) -> Result<(), Denied> {
    let visitor = Visitor::of(&client)?;
    for room in visitor.exit_all() {
        hub.to(&room).emit("user-left", &visitor.presence(&room))?;
    }
    Ok(())
}
