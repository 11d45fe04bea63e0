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
use crate::{limits::Limits, message::DecodeLimits};

/// What an adapter is given to open its door.
///
/// Adapters that share something (one HTTP listener, say) find it by its type in the resources; the core need not
/// know it.
pub struct Options {
    addr: Option<SocketAddr>,
    local_addr: OnceLock<SocketAddr>,
    resources: Mutex<Resources>,
    shared: Arc<Shared>,
}

/// Values by their type.
pub(crate) type Resources = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Options {
    pub(crate) fn new(addr: Option<SocketAddr>, resources: Resources, shared: Arc<Shared>) -> Self {
        Self { addr, local_addr: OnceLock::new(), resources: Mutex::new(resources), shared }
    }

    /// The address that the server was told to bind.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Reports the address that was bound. The first report is the server's address.
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

    /// The namespaces' path patterns (`/`, `/chat`, `/game/{id}`), the most specific first.
    pub fn namespaces(&self) -> Vec<String> {
        self.shared.namespaces.iter().map(|namespace| namespace.pattern.as_ref().to_owned()).collect()
    }

    /// A resource, where somebody has put one of this type in.
    pub fn resource<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        resources.get(&TypeId::of::<T>()).cloned().and_then(|any| any.downcast().ok())
    }

    /// A resource, made where there is none yet.
    pub fn resource_or_insert_with<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(found) = self.resource() {
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

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>()).field("addr", &self.addr).finish_non_exhaustive()
    }
}
