//! The gateway: who may connect, and what is around all controllers.

use narthex::middleware::from_fn::from_fn;
use narthex::{Attach, Denied, EventName, Gateway, Handshake, State};

use crate::controller::{Controller, SetupError, mount};
use crate::service::Websocket;
use crate::user::{Connected, User};
use crate::versions::CurrentVersion;
use crate::wire::respond;

/// The controllers, on whatever doors they are opened.
///
/// # Errors
/// Events that are defined twice.
pub(crate) fn gateway(websocket: &Websocket, served: Vec<Controller>) -> Result<Gateway, SetupError> {
    let around = websocket.clone();
    let gateway = Gateway::new()
        .state(websocket.clone())
        .connect_guard(known_version)
        .connect_guard(is_allowed)
        .layer(from_fn(move |event, next| respond(around.clone(), event, next)))
        .fallback(unknown);
    mount(gateway, served, websocket.versions())
}

async fn known_version(
    State(websocket): State<Websocket>,
    Handshake(handshake): Handshake,
) -> Result<Attach<CurrentVersion>, Denied> {
    websocket.versions().resolve(&handshake).map(Attach)
}

/// Who has no token, or one that is not good, connects as nobody in particular.
async fn is_allowed(
    State(websocket): State<Websocket>,
    Handshake(handshake): Handshake,
) -> Result<Attach<Connected>, Denied> {
    let authorization = handshake.header("authorization");
    let authorization = authorization.as_ref().and_then(|value| value.to_str().ok());
    let user: Option<User> = websocket.users().find(authorization).await?;
    if !websocket.is_allowed_to_connect(user.as_ref()) {
        return Err(Denied::forbidden("Not allowed to connect"));
    }
    Ok(Attach(Connected(user)))
}

async fn unknown(event: EventName) -> Denied {
    let name: String = event.as_str().chars().take(128).collect();
    Denied::not_found(format!("Could not find websocket event \"{name}\""))
}
