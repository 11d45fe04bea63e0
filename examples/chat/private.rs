//! Between two: who am I, and messages to one other client.

use narthex::middleware::validation::Valid;
use narthex::{Client, ClientId, Denied, Hub, Json};

use crate::messages::{PrivateMessage, SendPrivate, Sender, Sent};
use crate::visitor::Visitor;

/// `whoami`: the id and the name by which others see the one who asks.
pub(crate) async fn whoami(client: Client) -> Result<Json<Sender>, Denied> {
    Ok(Json(Visitor::of(&client)?.sender()))
}

/// `private-message`: to one client, for nobody else, and kept nowhere.
pub(crate) async fn send(
    client: Client,
    hub: Hub,
    Valid(SendPrivate { to, content }): Valid<SendPrivate>,
) -> Result<Json<Sent>, Denied> {
    let to: ClientId = to.parse().map_err(|_| Denied::bad_request("`to` is not the id of a client"))?;
    let receiver = hub.get(to).ok_or_else(|| Denied::not_found("nobody with this id is here"))?;
    let message = PrivateMessage::new(Visitor::of(&client)?.sender(), content);
    receiver.emit("private-message", &message)?;
    Ok(Json(Sent::ok(message.id)))
}
