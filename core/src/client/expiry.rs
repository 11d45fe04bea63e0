//! Clients whose credentials end: one task closes them all.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Client, ClientId, ClientInner};

/// The close code of a client whose token has expired.
const EXPIRED: u16 = 4401;

/// What lies further ahead than this is as good as never.
const HORIZON: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// When which client is closed. The task runs while there is one.
#[derive(Debug, Default)]
pub(crate) struct Expiries {
    state: Mutex<State>,
    earlier: Notify,
    tracker: TaskTracker,
    killed: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    due: BTreeMap<(Instant, ClientId), Weak<ClientInner>>,
    times: HashMap<ClientId, (Instant, SystemTime)>,
    running: bool,
}

impl State {
    fn forget(&mut self, client: ClientId) {
        if let Some((due, _)) = self.times.remove(&client) {
            self.due.remove(&(due, client));
        }
    }

    /// Takes out who is due, and says when the next one is.
    fn take_due(&mut self, now: Instant) -> (Vec<Weak<ClientInner>>, Option<Instant>) {
        let mut expired = Vec::new();
        while let Some(entry) = self.due.first_entry() {
            let (due, client) = *entry.key();
            if due > now {
                return (expired, Some(due));
            }
            expired.push(entry.remove());
            self.times.remove(&client);
        }
        (expired, None)
    }
}

impl Expiries {
    /// The task belongs to `tracker` and ends at the latest with `killed`.
    pub(crate) fn new(tracker: TaskTracker, killed: CancellationToken) -> Self {
        Self { tracker, killed, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of a user runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(self: &Arc<Self>, client: &Client, at: SystemTime) {
        let ahead = at.duration_since(SystemTime::now()).unwrap_or_default().min(HORIZON);
        let due = Instant::now() + ahead;
        let mut state = self.lock();
        state.forget(client.id());
        state.due.insert((due, client.id()), Arc::downgrade(&client.0));
        state.times.insert(client.id(), (due, at));
        if !std::mem::replace(&mut state.running, true) {
            drop(state);
            self.tracker.spawn(Arc::clone(self).run());
        } else {
            drop(state);
            self.earlier.notify_one();
        }
    }

    pub(crate) fn forget(&self, client: ClientId) {
        let mut state = self.lock();
        if !state.times.is_empty() {
            state.forget(client);
            let idle = state.times.is_empty();
            drop(state);
            if idle {
                self.earlier.notify_one();
            }
        }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let (expired, next) = {
                let mut state = self.lock();
                let (expired, next) = state.take_due(Instant::now());
                state.running = next.is_some();
                (expired, next)
            };
            for client in expired.iter().filter_map(Weak::upgrade) {
                Client(client).disconnect(EXPIRED, "token expired");
            }
            let Some(next) = next else { return };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.earlier.notified() => {}
                () = self.killed.cancelled() => return,
            }
        }
    }
}

impl Client {
    /// Closes this client at a time, with the code 4401 and the reason "token expired"; with `None` never, which is so
    /// until somebody says otherwise. A time that is past closes it at once. One timer serves all clients.
    ///
    /// On doors without close codes the client is disconnected in the door's own way.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn expire_at(&self, at: Option<SystemTime>) {
        let expiries = self.hub_inner().expiries();
        match at {
            Some(at) if !self.is_closed() => {
                expiries.set(self, at);
                if self.is_closed() {
                    // It has left meanwhile, and has been forgotten before.
                    expiries.forget(self.id());
                }
            }
            _ => expiries.forget(self.id()),
        }
    }

    /// When this client is closed, where [`expire_at`](Self::expire_at) has said so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.hub_inner().expiries().lock().times.get(&self.id()).map(|(_, at)| *at)
    }
}
