//! The builder of a server.

use std::{
    any::{Any, TypeId},
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BoundServer,
    entrance::{Entrance, entrances},
};
use crate::{
    adapter::{Accepting, Adapter, Options, Shared, WebSocketAdapter},
    client::{Expiries, HandshakeInfo},
    error::{Error, ErrorKind, Result},
    extract::Origin,
    filter::Filter,
    gateway::{Compiler, Gateway, Global, HandshakeLayer, HookEvent, handshake_layer_fn, run_hooks},
    guard::Guard,
    handler::{MessageLayer, layer_fn},
    limits::Limits,
    observer::{Observer, Observers},
    room::Common,
};

/// Gateways behind adapters.
///
/// What is put on the server holds for all gateways: guards, message layers, the filter and states.
#[must_use = "a server does nothing until it is bound"]
pub struct Server {
    gateways: Vec<Gateway>,
    adapters: Vec<Adapter>,
    limits: Limits,
    global: Global,
    resources: crate::adapter::Resources,
    also: Vec<SocketAddr>,
    observers: Vec<Arc<dyn Observer>>,
}

impl Server {
    /// A server of one gateway without adapters.
    pub fn new(gateway: Gateway) -> Self {
        Self {
            gateways: vec![gateway],
            adapters: Vec::new(),
            limits: Limits::default(),
            global: Global::default(),
            resources: crate::adapter::Resources::default(),
            also: Vec::new(),
            observers: Vec::new(),
        }
    }

    /// One more gateway. Two on one namespace both run, in this order.
    pub fn gateway(mut self, gateway: Gateway) -> Self {
        self.gateways.push(gateway);
        self
    }

    /// One more door.
    pub fn adapter(self, adapter: impl WebSocketAdapter) -> Self {
        self.adapters([Adapter::new(adapter)])
    }

    /// More doors.
    pub fn adapters(mut self, adapters: impl IntoIterator<Item = Adapter>) -> Self {
        self.adapters.extend(adapters);
        self
    }

    /// The bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Wraps the messages of all gateways in one tower layer, outside of the gateways' own.
    pub fn message_layer(mut self, layer: impl MessageLayer) -> Self {
        self.global.layers.push(layer_fn(layer));
        self
    }

    /// Guards the messages of all gateways, before the gateways' own guards.
    pub fn guard<M>(mut self, guard: impl Guard<M>) -> Self {
        self.global.guards.push(guard);
        self
    }

    /// Turns errors into replies that the filters of the handler and its gateway have left as errors.
    pub fn filter<M>(mut self, filter: impl Filter<M>) -> Self {
        self.global.filter = Some(filter.into_fn());
        self
    }

    /// Lets somebody watch what the server does, beside the messages that layers see: see [`Observer`].
    pub fn observe(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Wraps the handshakes of all gateways in one tower layer, outside of the gateways' own: see
    /// [`Gateway::handshake_layer`].
    pub fn handshake_layer<B>(mut self, layer: impl HandshakeLayer<B>) -> Self {
        self.global.handshake_layers.push(handshake_layer_fn(layer));
        self
    }

    /// Guards the connects of all gateways, before the gateways' own guards: see [`Gateway::connect_guard`].
    pub fn connect_guard<M>(mut self, guard: impl Guard<M>) -> Self {
        self.global.connect_guards.push(guard);
        self
    }

    /// Runs when a client of any gateway has connected, before the gateways' own hooks: see [`Gateway::on_connect`].
    pub fn on_connect<M>(mut self, hook: impl Guard<M>) -> Self {
        self.global.on_connect.push(hook);
        self
    }

    /// Runs when a client of any gateway has left, after the gateways' own hooks: see [`Gateway::on_disconnect`].
    pub fn on_disconnect<M>(mut self, hook: impl Guard<M>) -> Self {
        self.global.on_disconnect.push(hook);
        self
    }

    /// A value for the handlers of all gateways; a gateway's own value of the type wins.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.global.states.insert(state);
        self
    }

    /// Puts a resource in for the adapters, which find it by its type; it replaces one of the same type.
    pub fn resource<T: Any + Send + Sync>(mut self, resource: T) -> Self {
        self.resources.insert(TypeId::of::<T>(), Arc::new(resource));
        self
    }

    /// The resource of a type, made where there is none yet: for extension traits that configure it.
    pub fn resource_or_insert_with<T: Any + Send + Sync>(&mut self, make: impl FnOnce() -> T) -> Arc<T> {
        let slot = self.resources.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make()));
        match Arc::clone(slot).downcast() {
            Ok(resource) => resource,
            Err(_) => unreachable!("a resource is filed under its own type"),
        }
    }

    /// Opens at one more address all that the address of [`bind`](Self::bind) opens.
    ///
    /// A gateway with an address of its own ([`Gateway::listen`]) stays there.
    pub fn also_bind(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.also.push(addr.into());
        self
    }

    /// Opens all doors at this address, and at the further ones of [`also_bind`](Self::also_bind) and
    /// [`Gateway::listen`].
    ///
    /// # Errors
    /// `Config` when gateways are put together wrongly or there is no adapter, `Bind` when a door cannot be opened,
    /// and whatever an `on_init` hook refuses with.
    pub async fn bind(self, addr: SocketAddr) -> Result<BoundServer> {
        self.start(Some(addr)).await
    }

    /// Opens all doors without an address of the server's; those that need one bring their own. Gateways with an
    /// address of their own ([`Gateway::listen`]) are open there.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn open(self) -> Result<BoundServer> {
        self.start(None).await
    }

    async fn start(self, addr: Option<SocketAddr>) -> Result<BoundServer> {
        if self.adapters.is_empty() {
            let why = "the server has no adapter: turn on a feature (`ws`) or add one with .adapter(…)";
            return Err(Error::new(ErrorKind::Config, why));
        }
        let (tracker, killed) = (TaskTracker::new(), CancellationToken::new());
        let common = Common {
            limits: Arc::new(self.limits),
            observers: Observers::new(self.observers),
            expiries: Arc::new(Expiries::new(tracker.clone(), killed.clone())),
            ..Common::default()
        };
        let namespaces = Compiler::new(self.global, common.clone()).compile(self.gateways)?;
        let shared = Arc::new(Shared::new(namespaces, common, tracker, killed));
        init(&shared).await?;
        let resources = Arc::new(Mutex::new(self.resources));
        let mut places = Vec::new();
        for (at, entrance) in entrances(addr, &self.also, &shared.namespaces).into_iter().enumerate() {
            let Entrance { addr, namespaces, is_main } = entrance;
            let options = Options::new(addr, is_main, namespaces, &resources, Arc::clone(&shared));
            places.push(if at == 0 { options.on_main() } else { options });
        }
        let opened = open(&self.adapters, &places, &shared).await;
        // Doors that are open already close again where one cannot be opened.
        let accepting = opened.inspect_err(|_| shared.draining.cancel())?;
        Ok(BoundServer::start(shared, places, accepting))
    }
}

/// Opens every adapter at every place; one with an address of its own, once.
async fn open(adapters: &[Adapter], places: &[Options], shared: &Arc<Shared>) -> Result<Vec<Accepting>> {
    let mut accepting = Vec::new();
    for (at, options) in places.iter().enumerate() {
        for Adapter(adapter) in adapters {
            let door = match (adapter.capability().own_address, at) {
                (false, _) => adapter.bind(options, Arc::clone(shared)).await,
                (true, 0) => adapter.bind(&options.of_all(), Arc::clone(shared)).await,
                (true, _) => continue,
            };
            accepting.push(door?);
        }
    }
    Ok(accepting)
}

/// Runs the `on_init` hooks of all gateways.
async fn init(shared: &Shared) -> Result<()> {
    for namespace in &shared.namespaces {
        let path: Arc<str> = namespace.pattern.as_ref().into();
        let (parts, ()) = http::Request::new(()).into_parts();
        let handshake = Arc::new(HandshakeInfo::new(parts, "", Arc::clone(&path), None));
        let hub = namespace.hubs.get(&path);
        let event = HookEvent { name: "init", origin: Origin::Handshake { handshake, hub }, reason: None };
        run_hooks(namespace.on_init.clone(), event).await.map_err(|denied| {
            let why = format!("an on_init hook of the namespace {path:?} refused: {denied:?}");
            Error::new(ErrorKind::Config, why)
        })?;
    }
    Ok(())
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("gateways", &self.gateways)
            .field("adapters", &self.adapters.len())
            .finish_non_exhaustive()
    }
}
