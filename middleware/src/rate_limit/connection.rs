//! The buckets that one connection takes from.

use std::{sync::Arc, time::Duration};

use super::bucket::Bucket;

/// The buckets that one connection takes from.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) own: Option<Bucket>,
    /// For events with a rate of their own, in the order of the settings.
    pub(super) events: Box<[Bucket]>,
    pub(super) principal: Option<Arc<Bucket>>,
    pub(super) address: Option<Arc<Bucket>>,
    /// Refusals that are put up with.
    pub(super) patience: Option<Bucket>,
}

impl Connection {
    /// Takes a token of each bucket that an event needs.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(&self, event: Option<usize>) -> Result<(), Duration> {
        let of_event = event.and_then(|at| self.events.get(at));
        let shared = [&self.principal, &self.address].into_iter().flatten().map(|bucket| &**bucket);
        self.own.iter().chain(of_event).chain(shared).try_for_each(Bucket::take)
    }

    /// Notes a refusal; whether there have been too many.
    pub(super) fn is_abused(&self) -> bool {
        self.patience.as_ref().is_some_and(|patience| patience.take().is_err())
    }
}

/// The connections' states on one client, for each layer that it passes.
#[derive(Clone, Debug, Default)]
pub(super) struct OnClient(pub(super) Vec<(usize, Arc<Connection>)>);

impl OnClient {
    pub(super) fn of(&self, layer: usize) -> Option<&Arc<Connection>> {
        self.0.iter().find(|(id, _)| *id == layer).map(|(_, connection)| connection)
    }
}
