//! What NestJS's request scope is for: one thing for each connection, kept on the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use narthex::middleware::map_reply;
use narthex::{Client, CloseReason, Denied, Event, Extension, FromEvent, Gateway, Handler, Hub, Json};
use narthex::{Payload, Reply, State};
use serde::Serialize;

/// The state of one connection. It goes when the client does, after the hooks.
#[derive(Clone)]
struct Scope(Arc<Inner>);

struct Inner {
    id: String,
    used: AtomicU64,
    ready: bool,
    alive: Alive,
}

/// How many connections have state.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

impl Drop for Inner {
    fn drop(&mut self) {
        self.alive.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is told of a connection's state.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    instance_id: String,
    sequence: u64,
}

impl Scope {
    fn told(&self) -> Told {
        let sequence = self.0.used.fetch_add(1, Ordering::Relaxed) + 1;
        Told { instance_id: self.0.id.clone(), sequence }
    }
}

/// One gateway for all clients, with state for each.
pub(crate) fn singleton() -> Gateway {
    Gateway::new()
        .namespace("/scope")
        .state(Alive::default())
        .on_connect(arrive)
        .on_disconnect(leave)
        .on("state", |Extension(scope): Extension<Scope>| async move { Json(scope.told()) })
        .on("ready", ready)
        .on("alive", |State(alive): State<Alive>| async move { Json(alive.0.load(Ordering::Relaxed)) })
        .on("ping", ping.layer(map_reply(|_: &Event| intercepted)))
        .on("piped", |Piped(data): Piped| async move { Json(Plain { data }) })
        .on(
            "intercepted",
            (|data: Payload| async { Json(Plain { data }) }).layer(map_reply(|_: &Event| intercepted)),
        )
}

/// Nothing of a client is handled before this is done, however long it takes.
async fn arrive(client: Client, State(alive): State<Alive>) -> Result<(), Denied> {
    tokio::task::yield_now().await;
    alive.0.fetch_add(1, Ordering::Relaxed);
    let id = client.id().to_string();
    let scope = Scope(Arc::new(Inner { id, used: AtomicU64::new(0), ready: true, alive }));
    client.set_data(scope.clone());
    client.emit("initialized", &Ready::of(&scope))?;
    client.emit("connectedState", &scope.told())?;
    Ok(())
}

#[derive(Serialize)]
struct Ready {
    id: String,
    ready: bool,
}

impl Ready {
    fn of(scope: &Scope) -> Self {
        Self { id: scope.0.id.clone(), ready: scope.0.ready }
    }
}

async fn ready(Extension(scope): Extension<Scope>) -> Json<Ready> {
    Json(Ready::of(&scope))
}

#[derive(Serialize)]
struct Left {
    #[serde(flatten)]
    told: Told,
    reason: &'static str,
}

/// The hook finds what the connection had.
async fn leave(hub: Hub, Extension(scope): Extension<Scope>, reason: CloseReason) -> Result<(), Denied> {
    hub.emit("fast", &Left { told: scope.told(), reason: reason.name() })?;
    Ok(())
}

/// Another gateway for the same clients, whose hook takes longer.
pub(crate) fn slow_to_leave() -> Gateway {
    Gateway::new().namespace("/scope").on_disconnect(leave_slowly)
}

async fn leave_slowly(hub: Hub, Extension(scope): Extension<Scope>) -> Result<(), Denied> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    hub.emit("slow", &scope.told())?;
    Ok(())
}

/// A pipe is an extractor: it makes an argument of the payload, or refuses.
struct Piped(String);

impl FromEvent for Piped {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let Json(text) = Json::<String>::from_event(event).await?;
        Ok(Self(format!("{text}:pipe")))
    }
}

#[derive(Serialize)]
struct Plain<T> {
    data: T,
}

#[derive(Serialize)]
struct Ping {
    data: String,
    sequence: u64,
}

async fn ping(Piped(data): Piped, Extension(scope): Extension<Scope>) -> Json<Ping> {
    Json(Ping { data, sequence: scope.told().sequence })
}

/// An interceptor: adds a member to what a handler returns.
fn intercepted(reply: Reply) -> Reply {
    reply.map_values(|value| {
        let mut object: serde_json::Map<_, _> = value.parse()?;
        object.insert("intercepted".to_owned(), true.into());
        Ok::<_, serde_json::Error>(Json(object))
    })
}
