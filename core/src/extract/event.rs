//! Events: a message together with its client.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::Extensions;

use crate::{
    client::{Client, CloseReason, HandshakeInfo, Params},
    message::{DecodeError, EventName, Message},
    reply::{AckState, Reply},
    room::{Hub, HubInner},
};

/// A message together with its client: what layers, guards and handlers receive.
///
/// Guards and hooks of a connect see an event too: its message is empty, and a guard that runs during the
/// handshake sees no client yet.
#[derive(Clone)]
pub struct Event {
    pub(crate) message: Message,
    pub(crate) origin: Origin,
    pub(crate) extensions: Extensions,
    pub(crate) matched: Arc<Matched>,
    pub(crate) params: Option<Params>,
    /// The answer's state, which the session shares where the handler's [`Needs`](super::Needs) say that it takes the ack.
    pub(crate) shared_ack: Option<Arc<AckState>>,
    /// The state of an ack that was taken.
    pub(crate) manual: Option<Arc<AckState>>,
    pub(crate) reason: Option<CloseReason>,
}

/// Whose event it is.
#[derive(Clone)]
pub(crate) enum Origin {
    Client(Client),
    /// A handshake that is being judged, and the place it is for.
    Handshake {
        handshake: Arc<HandshakeInfo>,
        hub: Arc<HubInner>,
    },
}

/// On an event that stands for a frame which could not be read.
#[derive(Clone)]
pub(crate) struct Unreadable(pub(crate) DecodeError);

/// What is known of the registration that an event matched.
#[derive(Default)]
pub(crate) struct Matched {
    /// The registered event, as the user wrote it; `None` for hooks and the fallback.
    pub(crate) pattern: Option<Box<str>>,
    pub(crate) metadata: Extensions,
    pub(crate) states: Arc<Extensions>,
    /// The handler with its own layers, for the innermost of the gateway's layers.
    pub(crate) handler: Option<Call>,
    /// The gateway's layers around it, for the innermost of the server's layers.
    pub(crate) gateway: Option<Call>,
}

/// What is known of an event's registration, see [`Event::registration`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registration(Arc<Matched>);

impl Registration {
    /// As [`Event::pattern`].
    pub fn pattern(&self) -> Option<&str> {
        self.0.pattern.as_deref()
    }

    /// As [`Event::metadata`].
    pub fn metadata(&self) -> &Extensions {
        &self.0.metadata
    }
}

impl Matched {
    /// The same registration with other metadata, for what runs inside of its handler.
    pub(crate) fn with_metadata(&self, metadata: Extensions) -> Self {
        Self {
            pattern: self.pattern.clone(),
            metadata,
            states: Arc::clone(&self.states),
            handler: None,
            gateway: None,
        }
    }

    /// The same registration, with another call behind the server's layers.
    pub(crate) fn instead(&self, gateway: Call) -> Self {
        Self {
            pattern: self.pattern.clone(),
            metadata: self.metadata.clone(),
            states: Arc::clone(&self.states),
            handler: None,
            gateway: Some(gateway),
        }
    }
}

/// An erased call of the stack or of a handler.
pub(crate) type Call = Arc<dyn Fn(Event) -> BoxFuture<'static, Reply> + Send + Sync>;

impl fmt::Debug for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matched").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

impl Event {
    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The name of the event, as it arrived.
    pub fn name(&self) -> &EventName {
        self.message.event()
    }

    /// The event as it was registered; bounded, so fit for a metric's label. `None` for the fallback and hooks.
    pub fn pattern(&self) -> Option<&str> {
        self.matched.pattern.as_deref()
    }

    /// What is known of the event's registration, to be kept for longer than the event.
    pub fn registration(&self) -> Registration {
        Registration(Arc::clone(&self.matched))
    }

    /// The client; `None` while its handshake is being judged.
    pub fn client(&self) -> Option<&Client> {
        match &self.origin {
            Origin::Client(client) => Some(client),
            Origin::Handshake { .. } => None,
        }
    }

    pub(crate) fn handshake_arc(&self) -> &Arc<HandshakeInfo> {
        match &self.origin {
            Origin::Client(client) => client.handshake_arc(),
            Origin::Handshake { handshake, .. } => handshake,
        }
    }

    pub(crate) fn hub_inner(&self) -> &Arc<HubInner> {
        match &self.origin {
            Origin::Client(client) => client.hub_inner(),
            Origin::Handshake { hub, .. } => hub,
        }
    }

    /// The handshake the client arrived with.
    pub fn handshake(&self) -> &HandshakeInfo {
        self.handshake_arc()
    }

    /// The hub of the namespace.
    pub fn hub(&self) -> Hub {
        Hub::from(Arc::clone(self.hub_inner()))
    }

    /// Data put on this event by layers and guards.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The same, to put data in.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Why the frame could not be read, where this stands for one: its message is empty then, and has no name. Layers see
    /// such events, guards and handlers do not.
    pub fn unreadable(&self) -> Option<&DecodeError> {
        self.extensions.get::<Unreadable>().map(|Unreadable(error)| error)
    }

    /// The data that the registration carries, for guards and layers to read.
    pub fn metadata(&self) -> &Extensions {
        &self.matched.metadata
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", self.message.event())
            .field("client", &self.client())
            .finish_non_exhaustive()
    }
}
