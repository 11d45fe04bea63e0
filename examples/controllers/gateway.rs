//! The gateway: who may connect, and what is around all controllers.

use std::sync::Arc;

use narthex::middleware::from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse, from_fn};
use narthex::{Client, Denied, EventName, Extension, Gateway, Principal, State};

use crate::controller::{Controller, SetupError, mount};
use crate::service::Websocket;
use crate::user::{Connected, User};
use crate::wire::{Unconfirmed, respond};

/// The controllers, on whatever doors they are opened.
///
/// # Errors
/// Events that are defined twice.
pub(crate) fn gateway(websocket: &Websocket, served: Vec<Controller>) -> Result<Gateway, SetupError> {
    let (arriving, asking) = (websocket.clone(), websocket.clone());
    let gateway = Gateway::new()
        .state(websocket.clone())
        .handshake_layer(from_fn::handshake(move |request, next| arrive(arriving.clone(), request, next)))
        .connect_guard(is_allowed)
        .on_connect(know)
        .layer(from_fn(move |event, next| respond(asking.clone(), event, next)))
        .fallback(unknown);
    mount(gateway, served, websocket.versions())
}

/// Which version is asked for, and by whom? Who has no token, or one that is not good, is nobody in particular.
async fn arrive(
    websocket: Websocket,
    mut request: HandshakeRequest,
    next: HandshakeNext,
) -> Result<HandshakeResponse, Denied> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let version = websocket.versions().resolve(header("x-version"))?;
    let user = websocket.users().find(header("authorization")).await?;
    let extensions = request.extensions_mut();
    extensions.insert(version);
    if let Some(user) = &user {
        extensions.insert(Principal(Arc::from(user.id.as_str())));
    }
    extensions.insert(Connected(user));
    Ok(next.run(request).await)
}

async fn is_allowed(
    State(websocket): State<Websocket>,
    Extension(Connected(user)): Extension<Connected>,
) -> Result<(), Denied> {
    match websocket.is_allowed_to_connect(user.as_ref()) {
        true => Ok(()),
        false => Err(Denied::forbidden("Not allowed to connect")),
    }
}

/// So that the hub finds the connections of a user, and what a client has not confirmed is counted.
async fn know(client: Client) {
    client.set_data(Unconfirmed::new());
    if let Some(User { id, .. }) = User::connected(&client) {
        client.set_user(&id);
    }
}

async fn unknown(event: EventName) -> Denied {
    Denied::not_found(format!("Could not find websocket event \"{event}\""))
}
