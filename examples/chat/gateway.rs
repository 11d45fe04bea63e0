//! The gateway: which event goes where, who may come in, and what is told when somebody goes.

use narthex::middleware::RateLimitLayer;
use narthex::middleware::auth::Claims;
use narthex::{Client, Denied, Gateway, Hub};

use crate::history::History;
use crate::login::{Guest, Login};
use crate::visitor::Visitor;
use crate::{private, rooms};

/// The chat, on whatever doors it is opened.
pub(crate) fn chat(history: History, login: &Login, rate: &RateLimitLayer) -> Gateway {
    Gateway::new()
        .namespace("/chat")
        .state(history)
        .handshake_layer(login.layer())
        // Inside of the login, so that it knows who comes.
        .handshake_layer(rate.clone())
        .layer(rate.clone())
        .room_guard("staff:{room}", rooms::staff_only)
        .on_connect(arrive)
        .on_disconnect(depart)
        .on("auth.refresh", login.layer().refresh())
        .on("whoami", private::whoami)
        .on("private-message", private::send)
        .on("join-room", rooms::join)
        .on("leave-room", rooms::leave)
        .on("send-message", rooms::send)
        .on("typing", rooms::typing)
        .on("members", rooms::members)
}

async fn arrive(client: Client, guest: Claims<Guest>) {
    client.set_data(Visitor::new(&client, guest.name.clone()));
}

async fn depart(client: Client, hub: Hub) -> Result<(), Denied> {
    let visitor = Visitor::of(&client)?;
    for room in visitor.exit_all() {
        hub.to(&room).emit("user-left", &visitor.presence(&room))?;
    }
    Ok(())
}
