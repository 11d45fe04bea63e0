//! Observers: whoever counts or traces what a server does.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::StatusCode;

use crate::{
    client::{Client, CloseReason},
    message::Outgoing,
    panic::caught,
    stats::Counters,
};

/// Watches what a server does beside its messages, which layers see. For metrics and traces.
///
/// The methods are called in place, by the task that does it: they must be quick, and must not block. A panic of theirs
/// is caught and counted, and changes nothing else. One that sends something from [`sent`](Self::sent) sees that too, and so on
/// without end: do not.
pub trait Observer: Send + Sync + 'static {
    /// A client is in: its `on_connect` has let it.
    fn connected(&self, client: &Client) {
        let _ = client;
    }

    /// A client that was in has left. Its `on_disconnect` runs next.
    fn disconnected(&self, client: &Client, reason: &CloseReason) {
        let _ = (client, reason);
    }

    /// A client was not let in.
    fn refused(&self, refused: &Refused<'_>) {
        let _ = refused;
    }

    /// Something was queued, or written, for clients.
    fn sent(&self, sent: &Sent<'_>) {
        let _ = sent;
    }
}

/// A client that was not let in, see [`Observer::refused`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refused<'a> {
    /// The adapter that it came through.
    pub adapter: &'static str,
    /// The namespace as it was registered (`/game/{id}`), so fit for a metric's label; `None` where there is none such.
    pub namespace: Option<&'a str>,
    /// The status of the refusal, also where the door has no HTTP to say it with.
    pub status: StatusCode,
}

/// What was sent, see [`Observer::sent`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sent<'a> {
    /// What it was.
    pub kind: SentKind,
    /// The event's name; `None` for answers. The server's own code chose it.
    pub event: Option<&'a str>,
    /// To how many clients: to as many as it was queued for.
    pub clients: usize,
}

/// What kind of thing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SentKind {
    /// An event.
    Event,
    /// The answer to a client's request.
    Ack,
    /// An error that answers a client's request. One that answers a message which asked for nothing is an event,
    /// `exception`.
    Error,
}

impl<'a> Sent<'a> {
    pub(crate) fn new(outgoing: &Outgoing<'a>, clients: usize) -> Self {
        let (kind, event) = match outgoing {
            Outgoing::Event { event, .. } => (SentKind::Event, Some(*event)),
            Outgoing::Ack { .. } | Outgoing::Value(_) => (SentKind::Ack, None),
            Outgoing::AckError { .. } => (SentKind::Error, None),
        };
        Self { kind, event, clients }
    }
}

/// All observers of a server.
#[derive(Clone, Default)]
pub(crate) struct Observers(Option<Arc<[Arc<dyn Observer>]>>);

impl Observers {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self((!observers.is_empty()).then(|| observers.into()))
    }

    /// Lets each see something. Costs a branch where there is none.
    pub(crate) fn each(&self, counters: &Counters, see: impl Fn(&dyn Observer)) {
        let Some(observers) = &self.0 else { return };
        for observer in observers.iter() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| see(&**observer))) {
                drop(caught("an observer", &*panic, counters));
            }
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("len", &self.0.as_ref().map_or(0, |all| all.len())).finish()
    }
}
