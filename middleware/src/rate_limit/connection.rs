//! The buckets that one connection takes from.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use narthex_core::Client;

use super::bucket::Bucket;

/// A message too many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) wait: Duration,
    /// There have been too many such on this connection.
    pub(super) abuse: bool,
}

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
    pub(super) fn take(&self, event: Option<usize>) -> Result<(), Refused> {
        let of_event = event.and_then(|at| self.events.get(at));
        let shared = [&self.principal, &self.address].into_iter().flatten().map(|bucket| &**bucket);
        let own = self.own.iter().chain(of_event).try_for_each(Bucket::take);
        own.map_err(|wait| Refused { wait, abuse: self.is_abused() })?;
        // Others may have emptied these: that is no abuse of this connection's.
        shared.into_iter().try_for_each(Bucket::take).map_err(|wait| Refused { wait, abuse: false })
    }

    /// Notes a refusal; whether there have been too many.
    fn is_abused(&self) -> bool {
        self.patience.as_ref().is_some_and(|patience| patience.take().is_err())
    }
}

/// The connections' states on one client, for each layer that it passes. Read with every message, so a clone is cheap.
#[derive(Clone, Debug, Default)]
struct OnClient(Arc<[(usize, Arc<Connection>)]>);

/// What a layer has of a client, made with the client's first message to it.
pub(super) fn of(client: &Client, layer: usize, make: impl FnOnce() -> Connection) -> Arc<Connection> {
    static MAKING: Mutex<()> = Mutex::new(());
    if let Some(connection) = find(client, layer) {
        return connection;
    }
    // A layer outside of this one may run a client's messages side by side, and none of them brings a bucket of its own.
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(connection) = find(client, layer) {
        return connection;
    }
    let connection = Arc::new(make());
    let OnClient(others) = client.data().unwrap_or_default();
    let all = others.iter().cloned().chain([(layer, Arc::clone(&connection))]);
    client.set_data(OnClient(all.collect()));
    connection
}

fn find(client: &Client, layer: usize) -> Option<Arc<Connection>> {
    let OnClient(all) = client.data()?;
    all.iter().find(|(id, _)| *id == layer).map(|(_, connection)| Arc::clone(connection))
}
