//! Joining and leaving channels.

use narthex::{Client, Denied, State};
use serde::Deserialize;

use crate::controller::Controller;
use crate::model::{Model, Rule, Shape};
use crate::service::Websocket;
use crate::wire::PathParams;

pub(crate) fn controller() -> Controller {
    Controller::new("ChannelController").prefix("channel:").on("join", join).on("leave", leave)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Which {
    channel_id: String,
}

impl Model for Which {
    fn shape() -> Shape {
        Shape::object([("channelId", Shape::text([Rule::Uuid]))])
    }
}

async fn join(
    client: Client,
    State(websocket): State<Websocket>,
    PathParams(which): PathParams<Which>,
) -> Result<(), Denied> {
    websocket.channels().join(&client, &which.channel_id)
}

async fn leave(
    client: Client,
    State(websocket): State<Websocket>,
    PathParams(which): PathParams<Which>,
) -> Result<(), Denied> {
    websocket.channels().leave(&client, &which.channel_id)
}
