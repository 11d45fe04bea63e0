//! Clients that share one connection.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{Client, ClientInner};

/// One connection that carries several clients, one for each namespace that its peer is in (Socket.IO). Cheap to clone.
#[derive(Clone, Default)]
pub struct SharedConnection(Arc<Mutex<Vec<Weak<ClientInner>>>>);

impl SharedConnection {
    /// A connection that carries nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<ClientInner>>> {
        // No code of a user runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, client: &Client) {
        let mut clients = self.lock();
        clients.retain(|client| client.strong_count() > 0);
        clients.push(Arc::downgrade(&client.0));
    }

    /// The clients that it carries.
    pub fn clients(&self) -> Vec<Client> {
        self.lock()
            .iter()
            .filter_map(Weak::upgrade)
            .map(Client)
            .filter(|client| !client.is_closed())
            .collect()
    }
}

impl fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedConnection")
    }
}
