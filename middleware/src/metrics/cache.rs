//! Handles of metrics by the name of an event, made once.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

pub(super) struct Cache<V> {
    by_name: RwLock<HashMap<Box<str>, Arc<V>>>,
    most: usize,
}

impl<V> Cache<V> {
    /// Keeps the first `most` names.
    pub(super) fn new(most: usize) -> Self {
        Self { by_name: RwLock::default(), most }
    }

    /// What is kept under a name, made where it is new; `None` where there is no room for a new one.
    pub(super) fn get(&self, name: &str, make: impl FnOnce() -> V) -> Option<Arc<V>> {
        {
            let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = by_name.get(name) {
                return Some(Arc::clone(known));
            }
            if by_name.len() >= self.most {
                return None;
            }
        }
        // `make` runs outside of the lock: it calls a recorder.
        let made = Arc::new(make());
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let room = by_name.len() < self.most;
        match by_name.get(name) {
            Some(known) => Some(Arc::clone(known)),
            None if room => {
                by_name.insert(name.into(), Arc::clone(&made));
                Some(made)
            }
            None => None,
        }
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("most", &self.most).finish_non_exhaustive()
    }
}
