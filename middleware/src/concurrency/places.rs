//! The places that calls take.

use std::sync::Arc;

use narthex_core::{Client, Event};
use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub(super) enum Places {
    Shared(Arc<Semaphore>),
    PerClient(Each),
}

/// How many places each client has. Layers are told apart by who shares the number.
#[derive(Clone, Debug)]
pub(super) struct Each(Arc<usize>);

/// The places that a client has of each layer that counts clients one by one: as many as there are layers. They go with the
/// client.
#[derive(Clone, Default)]
struct OfClient(Arc<[(Each, Arc<Semaphore>)]>);

impl Places {
    pub(super) fn shared(n: usize) -> Self {
        Self::Shared(Arc::new(Semaphore::new(sane(n))))
    }

    pub(super) fn per_client(n: usize) -> Self {
        Self::PerClient(Each(Arc::new(sane(n))))
    }

    /// The places for a call; `None` where there is no client whose they could be.
    pub(super) fn of(&self, event: &Event) -> Option<Arc<Semaphore>> {
        match self {
            Self::Shared(places) => Some(Arc::clone(places)),
            Self::PerClient(each) => event.client().map(|client| each.of(client)),
        }
    }
}

impl Each {
    /// Calls of one client begin on its own task, one after another, so that nobody else looks between the look and the change.
    fn of(&self, client: &Client) -> Arc<Semaphore> {
        let OfClient(of_client) = client.data().unwrap_or_default();
        if let Some((_, places)) = of_client.iter().find(|(each, _)| Arc::ptr_eq(&each.0, &self.0)) {
            return Arc::clone(places);
        }
        let places = Arc::new(Semaphore::new(*self.0));
        let all = of_client.iter().cloned().chain([(self.clone(), Arc::clone(&places))]);
        client.set_data(OfClient(all.collect()));
        places
    }
}

/// At least one, and no more than a semaphore can count.
fn sane(n: usize) -> usize {
    n.clamp(1, Semaphore::MAX_PERMITS)
}
