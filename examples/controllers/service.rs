//! What the server sends by itself, and whom it knows.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesOrdered};
use narthex::{Client, ClientId, Denied, Hub};
use serde::Serialize;
use serde_json::{Value, json};

use crate::channels::{Channel, Channels};
use crate::user::{User, Users};
use crate::versions::Versions;
use crate::wire::{Message, Recipient};

/// The service behind all controllers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Websocket(Arc<Inner>);

struct Inner {
    options: Options,
    users: Users,
    channels: Channels,
    versions: Versions,
    /// The number of the last message that is kept. A log of them, and their replay to who comes back, go here.
    last: AtomicU64,
}

/// The options of the service.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How long a client may take to answer.
    pub(crate) timeout: Duration,
    /// Users who may not connect.
    pub(crate) banned: HashSet<String>,
}

impl Options {
    fn is_allowed_to_connect(&self, user: Option<&User>) -> bool {
        user.is_none_or(|user| !self.banned.contains(&user.id))
    }
}

/// What a client made of a message: the request that it acknowledged with.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) request: Value,
    #[serde(rename = "connection", serialize_with = "by_id")]
    pub(crate) client: Client,
}

fn by_id<S: serde::Serializer>(client: &Client, to: S) -> Result<S::Ok, S::Error> {
    client.id().serialize(to)
}

impl Websocket {
    pub(crate) fn new(options: Options, users: Users, versions: Versions) -> Self {
        let (channels, last) = (Channels::default(), AtomicU64::new(0));
        Self(Arc::new(Inner { options, users, channels, versions, last }))
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.options.timeout
    }

    pub(crate) fn users(&self) -> &Users {
        &self.0.users
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.0.channels
    }

    pub(crate) fn versions(&self) -> &Versions {
        &self.0.versions
    }

    pub(crate) fn is_allowed_to_connect(&self, user: Option<&User>) -> bool {
        self.0.options.is_allowed_to_connect(user)
    }

    /// A message that is kept has a number of its own; one for many is kept once.
    pub(crate) fn numbered(&self, message: Message) -> Message {
        Message { seq: self.0.last.fetch_add(1, Ordering::Relaxed) + 1, ..message }
    }

    /// Sends to one client and awaits its answer.
    ///
    /// # Errors
    /// `Timeout` where it does not answer in time, and those of [`Client::emit_with_ack`].
    pub(crate) async fn send(&self, client: &Client, message: &Message) -> narthex::Result<Answer> {
        let request = client.emit_with_ack(&message.event, message, self.timeout()).await?;
        Ok(Answer { request, client: client.clone() })
    }

    /// Sends to everybody, and expects no answer.
    pub(crate) fn send_to_all(&self, hub: &Hub, message: &Message) -> narthex::Result<usize> {
        hub.emit(&message.event, message)
    }

    /// Sends to who is in a channel, and expects no answer.
    pub(crate) fn send_to_channel(
        &self,
        hub: &Hub,
        channel: &Channel,
        message: &Message,
    ) -> narthex::Result<usize> {
        hub.to(&channel.name).emit(&message.event, message)
    }

    /// Sends to some clients and awaits all their answers. One that fails does not fail the whole: its answer says why.
    pub(crate) async fn ask(&self, clients: Vec<Client>, message: &Message) -> Vec<Answer> {
        let ask = |client: Client| async move {
            match self.send(&client, message).await {
                Ok(answer) => answer,
                Err(error) => {
                    let body = json!({ "error": error.to_string() });
                    Answer {
                        request: json!({ "body": body, "headers": {}, "params": {}, "query": {} }),
                        client,
                    }
                }
            }
        };
        clients.into_iter().map(ask).collect::<FuturesOrdered<_>>().collect().await
    }

    /// Makes a client leave, with its connection where `close` says so.
    pub(crate) fn disconnect(&self, client: &Client, close: bool) {
        match close {
            true => client.disconnect_connection(1000, "disconnected"),
            false => client.disconnect(1000, "disconnected"),
        }
    }

    /// # Errors
    /// `NotFound`.
    pub(crate) fn find_connection_by_id(&self, hub: &Hub, id: &str) -> Result<Client, Denied> {
        let found = id.parse::<ClientId>().ok().and_then(|id| hub.get(id));
        found.ok_or_else(|| Denied::not_found(format!("Could not find connection with id \"{id}\".")))
    }

    /// The first connection of a user.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn find_connection_by_user_id(&self, hub: &Hub, id: &str) -> Result<Client, Denied> {
        let found = hub.user(id).clients().into_iter().next();
        found.ok_or_else(|| Denied::not_found(format!("Could not find connection with userId \"{id}\".")))
    }

    /// A message to everybody.
    pub(crate) fn to_all(&self, event: String) -> Message {
        Message::new(event, Recipient::All, None)
    }

    /// A message to a channel.
    pub(crate) fn to_channel(&self, channel: &Channel, event: String) -> Message {
        Message::new(event, Recipient::Channel, Some(channel.id.to_string()))
    }
}
