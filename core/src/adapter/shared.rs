//! What all adapters and sessions of a server share.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    client::{CloseReason, Params},
    gateway::{Namespace, canonical, find_namespace},
    limits::Limits,
    observer::Observer,
    observer::Observers,
    room::{Common, Hub},
    stats::Counters,
};

pub(crate) struct Shared {
    pub(crate) namespaces: Vec<Arc<Namespace>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<Counters>,
    observers: Observers,
    /// Cancelled when the server stops accepting.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the drain's time is over.
    pub(crate) killed: CancellationToken,
    is_killed: AtomicBool,
    pub(crate) tracker: TaskTracker,
    /// What starts once every adapter is bound.
    pub(crate) on_serve: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl Shared {
    pub(crate) fn new(
        namespaces: Vec<Arc<Namespace>>,
        common: Common,
        tracker: TaskTracker,
        killed: CancellationToken,
    ) -> Self {
        let Common { limits, counters, observers, .. } = common;
        Self {
            namespaces,
            limits,
            counters,
            observers,
            draining: CancellationToken::new(),
            killed,
            is_killed: AtomicBool::new(false),
            tracker,
            on_serve: Mutex::default(),
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<(&Arc<Namespace>, Params)> {
        find_namespace(&self.namespaces, path)
    }

    pub(crate) fn hub(&self, path: &str) -> Option<Hub> {
        let path = canonical(path);
        self.find(&path).map(|(namespace, _)| Hub::from(namespace.hubs.get(&path)))
    }

    fn hubs(&self) -> impl Iterator<Item = Hub> {
        self.namespaces.iter().flat_map(|namespace| namespace.hubs.all()).map(Hub::from)
    }

    /// Tells every client to leave.
    pub(crate) fn close_all(&self, reason: &CloseReason) {
        self.hubs().for_each(|hub| hub.close_all(reason));
    }

    /// How many messages and bytes wait in the outboxes of all clients.
    pub(crate) fn outbox_depth(&self) -> (usize, usize) {
        let depths = self.hubs().map(|hub| hub.outbox_depth());
        depths.fold((0, 0), |(messages, bytes), depth| (messages + depth.0, bytes + depth.1))
    }

    /// The drain's time is over: what still runs is dropped.
    pub(crate) fn kill(&self) {
        self.is_killed.store(true, Ordering::Release);
        self.killed.cancel();
        self.hubs().for_each(|hub| hub.wake_all());
    }

    /// Lets every observer see something.
    pub(crate) fn observe(&self, see: impl Fn(&dyn Observer)) {
        self.observers.each(&self.counters, see);
    }

    /// Cheap enough to ask at every wake of a client.
    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::Acquire)
    }

    pub(crate) fn take_on_serve(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.on_serve.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
