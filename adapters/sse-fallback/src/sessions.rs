//! The sessions that a token may open.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;
use narthex_core::{ClientId, HandshakeInfo, Resumable};

use crate::{claim::SESSION, secret::Secret};

/// One session of this door. A server's bound on its clients bounds how many there are.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) secret: Secret,
    pub(crate) resumable: Resumable,
    /// Who opened it, as the handshake's layers said.
    principal: Option<Arc<str>>,
    namespace: Box<str>,
}

impl Entry {
    pub(crate) fn new(handshake: &HandshakeInfo, secret: Secret, resumable: Resumable) -> Self {
        let principal = handshake.principal().map(Arc::from);
        Self { secret, resumable, principal, namespace: handshake.namespace().into() }
    }

    /// The concrete path of its namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether a handshake is by the one who opened the session.
    pub(crate) fn is_of(&self, handshake: &HandshakeInfo) -> bool {
        handshake.principal() == self.principal.as_deref()
    }
}

/// The sessions of a door, by the public ids of their clients.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<ClientId, Arc<Entry>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Arc<Entry>>> {
        // No code of a user runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, id: ClientId, entry: Arc<Entry>) {
        self.lock().insert(id, entry);
    }

    pub(crate) fn remove(&self, id: ClientId) {
        let mut sessions = self.lock();
        sessions.remove(&id);
        if sessions.capacity() > 4 * sessions.len().max(64) {
            sessions.shrink_to_fit();
        }
    }

    /// The session that the request's token opens at this namespace.
    pub(crate) fn find(&self, headers: &HeaderMap, namespace: &str) -> Option<Arc<Entry>> {
        let mut tokens = headers.get_all(SESSION).iter();
        let token = tokens.next().filter(|_| tokens.next().is_none())?;
        let (id, secret) = token.to_str().ok()?.split_once('.')?;
        let (id, secret) = (id.parse().ok()?, Secret::parse(secret)?);
        let entry = self.get(id)?;
        (entry.secret.is(&secret) && entry.namespace() == namespace).then_some(entry)
    }

    /// The session of a client that a ticket names.
    pub(crate) fn get(&self, id: ClientId) -> Option<Arc<Entry>> {
        self.lock().get(&id).cloned()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("open", &self.lock().len()).finish_non_exhaustive()
    }
}
