//! What an admin sees and sends.

use narthex::{Client, Denied, Hub, Json, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::Access;
use crate::channels::Channel;
use crate::controller::Controller;
use crate::model::{Model, Rule, Shape};
use crate::service::{Answer, Websocket};
use crate::user::User;
use crate::wire::{Body, Message, QueryParams};

pub(crate) fn controller() -> Controller {
    Controller::new("AdminController")
        .prefix("admin:")
        .access(Access::new().role("admin"))
        .on("connections", connections)
        .on("connection", connection)
        .on("disconnect", disconnect)
        .on("create-channel", create_channel)
        .on("channel", channel)
        .on("send", send)
        .on("send-to-all", send_to_all)
        .on("send-to-channel", send_to_channel)
        // Whether there is an admin at all is no secret.
        .guarded("ping", Access::new().skip(), ping)
}

async fn ping() -> &'static str {
    "pong"
}

/// A connection, as an admin sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    id: String,
    user_id: Option<String>,
}

impl Connection {
    fn of(client: &Client) -> Self {
        Self { id: client.id().to_string(), user_id: User::connected(client).map(|user| user.id) }
    }
}

async fn connections(hub: Hub) -> Json<Vec<Connection>> {
    Json(hub.clients().iter().map(Connection::of).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    id: Option<String>,
    user_id: Option<String>,
}

impl Model for Wanted {
    fn shape() -> Shape {
        Shape::object([("id", Shape::text([]).optional()), ("userId", Shape::text([]).optional())])
    }
}

impl Wanted {
    fn find(&self, websocket: &Websocket, hub: &Hub) -> Result<Client, Denied> {
        match (&self.id, &self.user_id) {
            (Some(id), _) => websocket.find_connection_by_id(hub, id),
            (None, Some(user)) => websocket.find_connection_by_user_id(hub, user),
            (None, None) => Err(Denied::bad_request("Whose connection? Give an id or a userId.")),
        }
    }
}

async fn connection(
    hub: Hub,
    State(websocket): State<Websocket>,
    QueryParams(wanted): QueryParams<Wanted>,
) -> Result<Json<Connection>, Denied> {
    wanted.find(&websocket, &hub).map(|client| Json(Connection::of(&client)))
}

#[derive(Deserialize)]
struct Leave {
    close: Option<bool>,
}

impl Model for Leave {
    fn shape() -> Shape {
        Shape::object([("close", Shape::boolean().optional())])
    }
}

/// Closes the whole connection where nothing else is said.
async fn disconnect(
    hub: Hub,
    State(websocket): State<Websocket>,
    QueryParams(wanted): QueryParams<Wanted>,
    Body(leave): Body<Option<Leave>>,
) -> Result<(), Denied> {
    let close = leave.and_then(|leave| leave.close).unwrap_or(true);
    websocket.disconnect(&wanted.find(&websocket, &hub)?, close);
    Ok(())
}

#[derive(Deserialize)]
struct NewChannel {
    name: String,
}

impl Model for NewChannel {
    fn shape() -> Shape {
        Shape::object([("name", Shape::text([Rule::MinLength(1), Rule::MaxLength(64)]))])
    }
}

async fn create_channel(
    State(websocket): State<Websocket>,
    Body(asked): Body<NewChannel>,
) -> Result<Json<Channel>, Denied> {
    websocket.channels().create(asked.name).map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToSend {
    event: String,
    #[serde(default)]
    data: Value,
    /// Of one connection, or of a channel.
    #[serde(default)]
    id: String,
    expect_response: Option<bool>,
    persist: Option<bool>,
}

impl Model for ToSend {
    fn shape() -> Shape {
        Shape::object([
            ("event", Shape::text([Rule::MinLength(1), Rule::MaxLength(128)])),
            ("data", Shape::any().optional()),
            ("id", Shape::text([]).optional()),
            ("expectResponse", Shape::boolean().optional()),
            ("persist", Shape::boolean().optional()),
        ])
    }
}

impl ToSend {
    fn finish(&self, websocket: &Websocket, sender: &Client, message: Message) -> Result<Message, Denied> {
        let message = message.from(sender).with_data(&self.data)?;
        Ok(if self.persist.unwrap_or(true) { websocket.numbered(message) } else { message })
    }
}

async fn channel(
    State(websocket): State<Websocket>,
    QueryParams(wanted): QueryParams<Wanted>,
) -> Result<Json<Channel>, Denied> {
    websocket.channels().find(&wanted.id.unwrap_or_default()).map(Json)
}

/// To one connection; its answer is expected where nothing else is said.
async fn send(
    client: Client,
    hub: Hub,
    State(websocket): State<Websocket>,
    Body(asked): Body<ToSend>,
) -> Result<Option<Json<Answer>>, Denied> {
    let to = websocket.find_connection_by_id(&hub, &asked.id)?;
    let message = asked.finish(&websocket, &client, Message::to_user(&to, asked.event.clone()))?;
    if asked.expect_response.unwrap_or(true) {
        return Ok(Some(Json(websocket.send(&to, &message).await?)));
    }
    to.emit(&message.event, &message)?;
    Ok(None)
}

/// To everybody; answers are expected where that is said.
async fn send_to_all(
    client: Client,
    hub: Hub,
    State(websocket): State<Websocket>,
    Body(asked): Body<ToSend>,
) -> Result<Option<Json<Vec<Answer>>>, Denied> {
    let message = asked.finish(&websocket, &client, websocket.to_all(asked.event.clone()))?;
    if asked.expect_response == Some(true) {
        return Ok(Some(Json(websocket.ask(hub.clients(), &message).await)));
    }
    websocket.send_to_all(&hub, &message)?;
    Ok(None)
}

/// To who is in a channel, as [`send_to_all`].
async fn send_to_channel(
    client: Client,
    hub: Hub,
    State(websocket): State<Websocket>,
    Body(asked): Body<ToSend>,
) -> Result<Option<Json<Vec<Answer>>>, Denied> {
    let channel = websocket.channels().find(&asked.id)?;
    let message = asked.finish(&websocket, &client, websocket.to_channel(&channel, asked.event.clone()))?;
    if asked.expect_response == Some(true) {
        let members = hub.to(&channel.name).clients();
        return Ok(Some(Json(websocket.ask(members, &message).await)));
    }
    websocket.send_to_channel(&hub, &channel, &message)?;
    Ok(None)
}
