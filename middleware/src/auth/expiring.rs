//! A bounded map whose entries end by themselves.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Entries with an end each. What has ended is swept when the map would grow.
pub(super) struct Expiring<K, V>(Mutex<HashMap<K, (Instant, V)>>);

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Expiring<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Instant, V)>> {
        // No code of a user runs under this lock but the drop of what it stored.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry in, unless `most` are there already.
    pub(super) fn insert(&self, key: K, value: V, lifetime: Duration, most: usize) -> bool {
        let now = Instant::now();
        // A lifetime beyond what a clock can say has no end.
        let far = || now + Duration::from_secs(10 * 365 * 24 * 60 * 60);
        let until = now.checked_add(lifetime).unwrap_or_else(far);
        let mut map = self.lock();
        if map.len() >= most || map.len() == map.capacity() {
            map.retain(|_, (until, _)| *until > now);
        }
        if map.len() >= most {
            return false;
        }
        map.insert(key, (until, value));
        true
    }

    /// Takes an entry out, where it has not ended.
    pub(super) fn take<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (until, value) = self.lock().remove(key)?;
        (until > Instant::now()).then_some(value)
    }

    /// A copy of an entry, where it has not ended.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        let map = self.lock();
        map.get(key).filter(|(until, _)| *until > Instant::now()).map(|(_, value)| value.clone())
    }

    /// How many entries are there, ended ones included.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
