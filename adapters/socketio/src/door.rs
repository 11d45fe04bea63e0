//! What all clients of one door share.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use narthex_core::{Connect, DecodeLimits, Envelope};
use socketioxide::SocketIo as Io;
use tokio::sync::SetOnce;

use crate::{
    front::Front,
    member::SocketIoClient,
    place::{Places, Relay},
};

/// What all clients of one [`SocketIo`](crate::SocketIo) share.
pub(crate) struct Door {
    pub(crate) front: Arc<Front>,
    pub(crate) limits: DecodeLimits,
    pub(crate) outbox_bytes: usize,
    /// What is sent to a client goes to the engine at once; not so where a full outbox drops messages.
    pub(crate) direct: bool,
    /// One for all clients, so that broadcasts are encoded once.
    pub(crate) envelope: Arc<dyn Envelope>,
    /// The namespaces without parameters, which are never freed.
    pub(crate) literal: Vec<String>,
    pub(crate) places: Arc<Places>,
    pub(crate) io: OnceLock<Io<Relay>>,
    /// Paths are mounted before the core announces itself; a CONNECT in between waits for it.
    pub(crate) connect: SetOnce<Connect<SocketIoClient>>,
}

impl Door {
    /// Frees a namespace that everybody has left.
    pub(crate) fn free(&self, namespace: &str) {
        if let Some(io) = self.io.get() {
            io.delete_ns(namespace);
        }
    }

    pub(crate) fn is_dynamic(&self, namespace: &str) -> bool {
        !self.literal.iter().any(|literal| literal == namespace)
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("front", &self.front).finish_non_exhaustive()
    }
}
