//! The secrets by which peers name their sessions.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use narthex_core::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

use crate::connection::Connection;

/// What a session is looked up by.
type Handle = [u8; 8];

/// What a peer must know to name a session: a handle to look it up by, and 128 bits that are compared in constant time.
#[derive(Clone)]
pub(crate) struct Secret([u8; 24]);

impl Secret {
    /// # Errors
    /// Kind `Io` where the operating system gives no random bytes.
    fn generate() -> Result<Self> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Io, "no random bytes").with_source(error))?;
        Ok(Self(bytes))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 24];
        let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (read == bytes.len()).then_some(Self(bytes))
    }

    fn handle(&self) -> Handle {
        let mut handle = Handle::default();
        handle.copy_from_slice(&self.0[..8]);
        handle
    }

    /// As the peer writes it.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// All sessions of the door, by their secrets. The engine owns them: one that it has dropped is gone from here.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<Handle, (Secret, Weak<Connection>)>>);

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<Handle, (Secret, Weak<Connection>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session's secret, once `make` has made the session of it.
    ///
    /// # Errors
    /// Kind `Io` where the operating system gives no random bytes.
    pub(crate) fn open(&self, make: impl FnOnce(Secret) -> Connection) -> Result<Arc<Connection>> {
        let secret = Secret::generate()?;
        let connection = Arc::new(make(secret.clone()));
        self.lock().insert(secret.handle(), (secret, Arc::downgrade(&connection)));
        Ok(connection)
    }

    pub(crate) fn find(&self, text: &str) -> Option<Arc<Connection>> {
        let asked = Secret::parse(text)?;
        let sessions = self.lock();
        let (secret, connection) = sessions.get(&asked.handle())?;
        bool::from(secret.0.ct_eq(&asked.0)).then(|| connection.upgrade()).flatten()
    }

    pub(crate) fn remove(&self, secret: &Secret) {
        self.lock().remove(&secret.handle());
    }

    /// All sessions that are alive.
    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.lock().values().filter_map(|(_, connection)| connection.upgrade()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_by_its_text_alone_and_never_shown() {
        let secret = Secret::generate().unwrap();
        assert_eq!(secret.text().len(), 32);
        assert_eq!(Secret::parse(&secret.text()).unwrap().0, secret.0);
        assert!(Secret::parse("").is_none());
        assert!(Secret::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").is_none());
        assert!(!format!("{secret:?}").contains(&secret.text()[..4]));
    }
}
