//! A chat that everybody hears.

use narthex::{Client, Denied, Hub, State};
use serde::{Deserialize, Serialize};

use crate::controller::Controller;
use crate::model::{Model, Rule, Shape};
use crate::service::Websocket;
use crate::wire::Body;

pub(crate) fn controller() -> Controller {
    Controller::new("ChatController").on("chat message", say)
}

#[derive(Deserialize, Serialize)]
struct ChatMessage {
    message: String,
}

impl Model for ChatMessage {
    fn shape() -> Shape {
        Shape::object([("message", Shape::text([Rule::MaxLength(1000)]))])
    }
}

/// To everybody, the sender too.
async fn say(
    client: Client,
    hub: Hub,
    State(websocket): State<Websocket>,
    Body(message): Body<ChatMessage>,
) -> Result<(), Denied> {
    let message = websocket.to_all("chat message".to_owned()).from(&client).with_data(&message)?;
    websocket.send_to_all(&hub, &websocket.numbered(message))?;
    Ok(())
}
