//! Identities in memory.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use narthex_core::{BoxError, Error, ErrorKind, Result};

use super::{CookieIdentity, CookieStore};
use crate::auth::{
    expiring::Expiring,
    secret::{SECRET, random},
};

/// How long an identity is kept, where nothing else is said.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How many identities are kept, where nothing else is said.
const MOST: usize = 100_000;

/// Identities of one process, lost with it: 24 hours each, at most 100,000 of them. Clones share the same.
pub struct MemoryCookieStore<T> {
    kept: Arc<Expiring<String, CookieIdentity<T>>>,
    lifetime: Duration,
    most: usize,
}

impl<T> Default for MemoryCookieStore<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> MemoryCookieStore<T> {
    /// An empty store.
    pub fn new() -> Self {
        Self { kept: Arc::default(), lifetime: LIFETIME, most: MOST }
    }

    /// How long an identity is kept. When it ends, its clients are closed.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How many identities may be kept at once. With one more, [`insert`](Self::insert) fails until one is removed or ends.
    #[must_use]
    pub fn most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Keeps an identity, and gives its id: 128 random bits, for a cookie ([`CookieKeys::sign`](super::CookieKeys::sign)).
    ///
    /// # Errors
    /// Kind `Limit` when too many are kept, kind `Io` when the system has no randomness to give.
    pub fn insert(&self, subject: impl Into<Arc<str>>, data: T) -> Result<String> {
        let id = URL_SAFE_NO_PAD.encode(random::<SECRET>()?);
        let identity = match SystemTime::now().checked_add(self.lifetime) {
            Some(end) => CookieIdentity::until(subject, data, end),
            None => CookieIdentity::new(subject, data),
        };
        match self.kept.insert(id.clone(), identity, self.lifetime, self.most) {
            true => Ok(id),
            false => Err(Error::new(ErrorKind::Limit, "too many identities are kept")),
        }
    }

    /// Forgets an identity, as when somebody logs out, and gives it back. Clients that are open stay so.
    pub fn remove(&self, id: &str) -> Option<CookieIdentity<T>> {
        self.kept.take(id)
    }
}

#[async_trait]
impl<T: Send + Sync + 'static> CookieStore for MemoryCookieStore<T> {
    type Data = T;

    async fn load(&self, id: &str) -> Result<Option<CookieIdentity<T>>, BoxError> {
        Ok(self.kept.get(id))
    }
}

impl<T> Clone for MemoryCookieStore<T> {
    fn clone(&self) -> Self {
        Self { kept: Arc::clone(&self.kept), lifetime: self.lifetime, most: self.most }
    }
}

impl<T> fmt::Debug for MemoryCookieStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCookieStore").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}
