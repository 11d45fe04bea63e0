//! What an adapter is given to open its door.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Shared;
use crate::{gateway::Namespace, limits::Limits, message::DecodeLimits};

/// What an adapter is given to open its door.
///
/// Adapters that share something (one HTTP listener, say) find it by its type in the resources; the core need not
/// know it.
pub struct Options {
    addr: Option<SocketAddr>,
    is_main: bool,
    namespaces: Arc<[Arc<Namespace>]>,
    local_addr: Arc<OnceLock<SocketAddr>>,
    resources: Arc<Mutex<Resources>>,
    /// The resources of the server's main address.
    main: Arc<Mutex<Resources>>,
    shared: Arc<Shared>,
}

/// Values by their type.
pub(crate) type Resources = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Options {
    /// The options of one entrance; `main` has the server's resources.
    pub(crate) fn new(
        addr: Option<SocketAddr>,
        is_main: bool,
        namespaces: Arc<[Arc<Namespace>]>,
        main: &Arc<Mutex<Resources>>,
        shared: Arc<Shared>,
    ) -> Self {
        let (local_addr, main) = (Arc::default(), Arc::clone(main));
        Self { addr, is_main, namespaces, local_addr, resources: Arc::default(), main, shared }
    }

    /// The same with the server's resources as its own.
    pub(crate) fn on_main(mut self) -> Self {
        self.resources = Arc::clone(&self.main);
        self
    }

    /// The same for an adapter that brings its own address: it opens all namespaces.
    pub(crate) fn of_all(&self) -> Self {
        Self {
            addr: self.addr,
            is_main: self.is_main,
            namespaces: self.shared.namespaces.as_slice().into(),
            local_addr: Arc::clone(&self.local_addr),
            resources: Arc::clone(&self.resources),
            main: Arc::clone(&self.main),
            shared: Arc::clone(&self.shared),
        }
    }

    pub(crate) fn visible(&self) -> &Arc<[Arc<Namespace>]> {
        &self.namespaces
    }

    /// Whether this address is the server's: the one of `bind`, or one of `also_bind`. Otherwise it is a gateway's
    /// own, and only namespaces of its gateways are there.
    pub fn is_main(&self) -> bool {
        self.is_main
    }

    /// The address to bind: the server's, or a gateway's own.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Reports the address that was bound, of those that the adapter was told to. The first report is kept.
    pub fn set_local_addr(&self, addr: SocketAddr) {
        // A second door on its own port does not change where the server is.
        let _: Result<(), SocketAddr> = self.local_addr.set(addr);
    }

    /// The address that was reported first.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr.get().copied()
    }

    /// The server's bounds.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The bounds that a door keeps which decodes messages by itself.
    pub fn decode_limits(&self) -> DecodeLimits {
        self.shared.limits.decode
    }

    /// The path patterns of the namespaces at this address (`/`, `/chat`, `/game/{id}`), the most specific first.
    pub fn namespaces(&self) -> Vec<String> {
        self.namespaces.iter().map(|namespace| namespace.pattern.as_ref().to_owned()).collect()
    }

    /// A resource, where somebody has put one of this type in: at this address, or else on the server.
    pub fn resource<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        find(&self.resources).or_else(|| find(&self.main))
    }

    /// The server's resource of a type: what was put on the [`Server`](crate::Server), or made at its main address.
    pub fn main_resource<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        find(&self.main)
    }

    /// The resource of this address, made where there is none yet. Each address of a server has its own, since a
    /// listener is of one address; at the main address it is the server's.
    pub fn resource_or_insert_with<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(found) = find(&self.resources) {
            return found;
        }
        let made = Arc::new(make());
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        resources.insert(TypeId::of::<T>(), Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        made
    }

    /// Runs a task once every adapter is bound. It must end when the server drains, which waits for it.
    pub fn on_serve(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.on_serve.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
    }

    /// Cancelled when the server drains: accept nobody from then on.
    pub fn draining(&self) -> CancellationToken {
        self.shared.draining.clone()
    }

    /// Cancelled when the drain's time is over: drop what still runs.
    pub fn killed(&self) -> CancellationToken {
        self.shared.killed.clone()
    }

    /// Owns the door's tasks; the drain waits for them.
    pub fn tracker(&self) -> TaskTracker {
        self.shared.tracker.clone()
    }
}

fn find<T: Any + Send + Sync>(resources: &Mutex<Resources>) -> Option<Arc<T>> {
    let resources = resources.lock().unwrap_or_else(PoisonError::into_inner);
    resources.get(&TypeId::of::<T>()).cloned().and_then(|any| any.downcast().ok())
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>()).field("addr", &self.addr).finish_non_exhaustive()
    }
}
