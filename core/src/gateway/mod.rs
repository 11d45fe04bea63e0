//! Gateways: handlers, guards, layers and hooks of one namespace.

mod compiled;
mod handshake;
mod namespace;
mod registry;
mod rooms;

use std::{fmt, net::SocketAddr};

use http::Extensions;

pub use self::handshake::{HandshakeBody, HandshakeLayer, HandshakeRoute};
pub(crate) use self::{
    compiled::{Compiler, Global, Place, find_namespace},
    handshake::{HandshakeLayerFn, Verdict, layer_fn as handshake_layer_fn, refusal},
    namespace::{HookEvent, Namespace, canonical, run_hooks},
    registry::{Entry, Found},
};
use crate::{
    error::{Error, ErrorKind},
    filter::{Filter, FilterFn},
    guard::{Checks, Guard},
    handler::{Handler, HandlerDef, IntoPattern, LayerFn, MessageLayer, Pattern, layer_fn},
};

/// Handlers, guards, layers and hooks of one namespace. It knows no transport.
///
/// ```
/// use narthex_core::{Gateway, Json};
///
/// async fn greet(Json(name): Json<String>) -> String {
///     format!("hello, {name}")
/// }
///
/// let gateway = Gateway::new().namespace("/chat").on("greet", greet);
/// ```
///
/// Layers, guards and hooks run in the order in which they are added.
#[must_use = "a gateway does nothing until a server serves it"]
pub struct Gateway {
    pub(crate) namespace: String,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) handlers: Vec<(Pattern, HandlerDef)>,
    pub(crate) fallbacks: Vec<HandlerDef>,
    pub(crate) layers: Vec<LayerFn>,
    pub(crate) handshake_layers: Vec<HandshakeLayerFn>,
    pub(crate) guards: Checks,
    pub(crate) connect_guards: Checks,
    /// Each with the rooms that it guards.
    pub(crate) room_guards: Vec<(String, Checks)>,
    pub(crate) on_init: Checks,
    pub(crate) on_connect: Checks,
    pub(crate) on_disconnect: Checks,
    pub(crate) filter: Option<FilterFn>,
    pub(crate) states: Extensions,
    pub(crate) metadata: Extensions,
}

impl Default for Gateway {
    fn default() -> Self {
        Self::new()
    }
}

impl Gateway {
    /// A gateway of the namespace `/` without handlers.
    pub fn new() -> Self {
        Self {
            namespace: "/".to_owned(),
            listen: Vec::new(),
            handlers: Vec::new(),
            fallbacks: Vec::new(),
            layers: Vec::new(),
            handshake_layers: Vec::new(),
            guards: Checks::default(),
            connect_guards: Checks::default(),
            room_guards: Vec::new(),
            on_init: Checks::default(),
            on_connect: Checks::default(),
            on_disconnect: Checks::default(),
            filter: None,
            states: Extensions::new(),
            metadata: Extensions::new(),
        }
    }

    /// Where the gateway lives: a path, with parameters where wanted (`/game/{id}`).
    ///
    /// Each concrete path of a namespace with parameters has its own rooms and clients.
    pub fn namespace(mut self, path: impl Into<String>) -> Self {
        self.namespace = path.into();
        self
    }

    /// Opens this gateway's doors at an address of its own instead of the server's; called again, at one more.
    ///
    /// Gateways that name the same address share it. With the server's own address among them the gateway is open there
    /// too. Port 0 takes a free port, one for all gateways that name it; `BoundServer::local_addr_of` says which. Rooms
    /// and clients are the namespace's, whichever address a client came in by. Gateways of one namespace must name the same
    /// addresses, or the server does not start.
    ///
    /// An adapter with an address of its own ([`Capability::own_address`](crate::Capability::own_address)) stays where
    /// it is.
    pub fn listen(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.listen.push(addr.into());
        self
    }

    /// Registers a handler for an event: a name, a name with parameters (`room.{id}.msg`), or a [`Pattern`].
    ///
    /// A name goes before a pattern, and a pattern with more literal parts before one with fewer.
    pub fn on<T>(mut self, event: impl IntoPattern, handler: impl Handler<T>) -> Self {
        self.handlers.push((event.into_pattern(), handler.into_def()));
        self
    }

    /// Registers the handler of events that nobody else is for. Without one they are answered with `NotFound`.
    pub fn fallback<T>(mut self, handler: impl Handler<T>) -> Self {
        self.fallbacks.push(handler.into_def());
        self
    }

    /// Gives handlers a value, taken by [`State<T>`](crate::State). One value a type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Data for guards and layers to read, by type, on every handler of this gateway; a handler's own of the same type
    /// wins: [`Event::metadata`](crate::Event::metadata).
    pub fn metadata<D: Clone + Send + Sync + 'static>(mut self, data: D) -> Self {
        self.metadata.insert(data);
        self
    }

    /// Guards every message of this gateway.
    pub fn guard<M>(mut self, guard: impl Guard<M>) -> Self {
        self.guards.push(guard);
        self
    }

    /// Guards connects: runs after the handshake's layers and before the client is let in. There is no
    /// [`Client`](crate::Client) yet; what it attaches is on the handshake.
    pub fn connect_guard<M>(mut self, guard: impl Guard<M>) -> Self {
        self.connect_guards.push(guard);
        self
    }

    /// Guards rooms: those of this name, or with a parameter (`team:{id}`, or `{room}` for all) those that fit it.
    ///
    /// The guard runs when a client asks for the room ([`Client::ask_to_join`](crate::Client::ask_to_join)); it takes the
    /// parameter as [`Path`](crate::Path) and the whole name as [`RoomName`](crate::RoomName). Where several guards fit,
    /// all must let the client pass. [`Client::join`](crate::Client::join) fails for a guarded room, so that none is
    /// joined unasked by mistake.
    ///
    /// ```
    /// use narthex_core::{Client, Denied, Gateway, Json, Path};
    ///
    /// async fn of_the_team(client: Client, Path(team): Path<String>) -> bool {
    ///     client.user().as_deref() == Some(&*team)
    /// }
    ///
    /// async fn join(client: Client, Json(room): Json<String>) -> Result<(), Denied> {
    ///     client.ask_to_join(&room).await
    /// }
    ///
    /// let gateway = Gateway::new().room_guard("team:{id}", of_the_team).on("join", join);
    /// ```
    pub fn room_guard<M>(mut self, room: impl Into<String>, guard: impl Guard<M>) -> Self {
        let mut checks = Checks::default();
        checks.push(guard);
        self.room_guards.push((room.into(), checks));
        self
    }

    /// Wraps all handlers in one tower layer over `Service<Event, Response = Reply, Error = Infallible>`.
    pub fn layer(mut self, layer: impl MessageLayer) -> Self {
        self.layers.push(layer_fn(layer));
        self
    }

    /// Wraps the handshake in one tower layer over `Service<Request<Empty<Bytes>>>`.
    ///
    /// A client is accepted when the innermost service was reached and the response is 200 or 101; headers that
    /// layers add go on the door's answer. Anything else is the refusal, sent as it is (its body up to 64 KiB).
    pub fn handshake_layer<B>(mut self, layer: impl HandshakeLayer<B>) -> Self {
        self.handshake_layers.push(handshake::layer_fn(layer));
        self
    }

    /// Runs once, before the server accepts clients. An error keeps the server from starting.
    pub fn on_init<M>(mut self, hook: impl Guard<M>) -> Self {
        self.on_init.push(hook);
        self
    }

    /// Runs when a client has connected, before any of its messages. An error refuses the client: close code 1008. Where several
    /// hooks run and a later one refuses, `on_disconnect` does not undo what the earlier ones did.
    pub fn on_connect<M>(mut self, hook: impl Guard<M>) -> Self {
        self.on_connect.push(hook);
        self
    }

    /// Runs once when a client has left, and only if its `on_connect` had let it in. Takes a
    /// [`CloseReason`](crate::CloseReason) where wanted.
    pub fn on_disconnect<M>(mut self, hook: impl Guard<M>) -> Self {
        self.on_disconnect.push(hook);
        self
    }

    /// Turns errors of this gateway's handlers into replies; what is an error again goes to the server's filter.
    pub fn filter<M>(mut self, filter: impl Filter<M>) -> Self {
        self.filter = Some(filter.into_fn());
        self
    }
}

/// Where the gateways of one namespace listen.
fn same_addresses(gateways: &[Gateway]) -> crate::error::Result<Vec<SocketAddr>> {
    let first = &gateways[0];
    let differs = |gateway: &Gateway| {
        let names = |addr: &SocketAddr| first.listen.contains(addr);
        gateway.listen.len() != first.listen.len() || !gateway.listen.iter().all(names)
    };
    if gateways.iter().any(differs) {
        let why =
            format!("the gateways of the namespace {:?} listen on different addresses", first.namespace);
        return Err(config(why));
    }
    Ok(first.listen.clone())
}

pub(crate) fn config(context: String) -> Error {
    Error::new(ErrorKind::Config, context)
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("namespace", &self.namespace)
            .field("handlers", &self.handlers.len())
            .finish_non_exhaustive()
    }
}
