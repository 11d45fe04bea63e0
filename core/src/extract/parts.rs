//! The client, its surroundings and its handshake.

use std::{any::type_name, convert::Infallible, ops::Deref, sync::Arc};

use bytes::Bytes;
use http::Extensions;

use super::{Event, FromEvent};
use crate::{
    client::{Client, CloseReason, HandshakeInfo},
    message::{EventName, Payload},
    reply::Denied,
    room::Hub,
};

/// What a layer of the handshake, a layer of the message or a guard has put in, by its type.
///
/// The event's own data come first, then what is on the client ([`Client::set_data`]), then the handshake's: so what a
/// handshake brought can be replaced for the rest of a client's life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromEvent for Extension<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let on_client = || event.client().and_then(Client::data::<T>);
        let on_handshake = || event.handshake_arc().extensions().get::<T>().cloned();
        let found = event.extensions.get::<T>().cloned().or_else(on_client).or_else(on_handshake);
        found.map(Self).ok_or_else(|| Denied::internal(format!("no extension of type {}", type_name::<T>())))
    }
}

/// Everything that [`Extension`] finds, of all types: what is on the event over what is on the client over what came with the
/// handshake. For handlers that hand an event on to something else.
impl FromEvent for Extensions {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        let mut all = event.handshake_arc().extensions().clone();
        all.extend(event.client().map(Client::all_data).unwrap_or_default());
        all.extend(event.extensions.clone());
        Ok(all)
    }
}

/// The data of a type that the handler's registration carries, or else its gateway's: `handler.metadata(value)`,
/// `gateway.metadata(value)`. `Option<Metadata<T>>` where not every handler has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromEvent for Metadata<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let found = event.matched.metadata.get::<T>().cloned();
        found.map(Self).ok_or_else(|| Denied::internal(format!("no metadata of type {}", type_name::<T>())))
    }
}

/// The name of the room that a client asks to join. Only guards of rooms have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(pub Arc<str>);

impl FromEvent for RoomName {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let found = event.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Denied::internal("only a guard of rooms has a room's name"))
    }
}

/// The handshake the client arrived with.
#[derive(Clone, Debug)]
pub struct Handshake(pub Arc<HandshakeInfo>);

impl Deref for Handshake {
    type Target = HandshakeInfo;

    fn deref(&self) -> &HandshakeInfo {
        &self.0
    }
}

impl FromEvent for Handshake {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(event.handshake_arc())))
    }
}

impl FromEvent for Client {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        event.client().cloned().ok_or_else(|| Denied::internal("a guard of the handshake has no client yet"))
    }
}

impl FromEvent for Hub {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(event.hub())
    }
}

impl FromEvent for EventName {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(event.message.event().clone())
    }
}

/// The payload's bytes: binary as it came, JSON as its text, nothing where there is none.
impl FromEvent for Bytes {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(match event.message.payload() {
            Payload::Empty => Self::new(),
            Payload::Json(json) => json.as_bytes().clone(),
            Payload::Args(args) => args.json().as_bytes().clone(),
            Payload::Text(bytes) | Payload::Binary(bytes) => bytes.clone(),
        })
    }
}

impl FromEvent for Payload {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(event.message.payload().clone())
    }
}

/// Why the client left. Only `on_disconnect` has it.
impl FromEvent for CloseReason {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        event.reason.clone().ok_or_else(|| Denied::internal("only on_disconnect has a close reason"))
    }
}
