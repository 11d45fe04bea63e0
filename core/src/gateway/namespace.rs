//! A namespace as it runs: its registry, its hooks and its hubs.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use http::{Request, request::Parts};

use super::{
    HandshakeRoute, Place, Verdict,
    registry::{Found, Registry},
};
use crate::{
    client::{Client, CloseReason, HandshakeInfo, Params},
    extract::{Call, Event, Matched, Origin},
    guard::Check,
    handler::Segments,
    message::{EventName, Message, Payload},
    reply::Denied,
    room::{Common, Doorkeeper, HubInner},
};

/// A hook with the surroundings of its gateway.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) check: Check,
    pub(crate) matched: Arc<Matched>,
}

/// Several gateways on one path pattern, ready to run.
pub(crate) struct Namespace {
    pub(crate) pattern: Box<str>,
    pub(crate) segments: Segments,
    /// Its own addresses; none, and it is open at the server's.
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) registry: Registry,
    pub(crate) handshake: HandshakeRoute,
    pub(crate) on_init: Vec<Hook>,
    pub(crate) on_connect: Vec<Hook>,
    pub(crate) on_disconnect: Vec<Hook>,
    pub(crate) hubs: Hubs,
}

/// The hubs of a namespace: one for each concrete path, freed with its last client.
pub(crate) struct Hubs {
    fixed: Option<Arc<HubInner>>,
    by_path: Mutex<HashMap<Arc<str>, Weak<HubInner>>>,
    common: Common,
    doorkeeper: Option<Arc<dyn Doorkeeper>>,
}

impl Hubs {
    pub(crate) fn new(
        path: &str,
        literal: bool,
        common: Common,
        doorkeeper: Option<Arc<dyn Doorkeeper>>,
    ) -> Self {
        let fixed = || Arc::new(HubInner::new(path.into(), common.clone(), doorkeeper.clone()));
        Self { fixed: literal.then(fixed), by_path: Mutex::default(), common, doorkeeper }
    }

    /// The hub of a concrete path.
    pub(crate) fn get(&self, path: &str) -> Arc<HubInner> {
        if let Some(hub) = &self.fixed {
            return Arc::clone(hub);
        }
        let mut by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hub) = by_path.get(path).and_then(Weak::upgrade) {
            return hub;
        }
        // Paths whose clients are all gone are swept when the map would grow.
        if by_path.len() == by_path.capacity() {
            by_path.retain(|_, hub| hub.strong_count() > 0);
        }
        let path: Arc<str> = path.into();
        let hub = Arc::new(HubInner::new(Arc::clone(&path), self.common.clone(), self.doorkeeper.clone()));
        by_path.insert(path, Arc::downgrade(&hub));
        hub
    }

    pub(crate) fn all(&self) -> Vec<Arc<HubInner>> {
        let by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
        self.fixed.iter().cloned().chain(by_path.values().filter_map(Weak::upgrade)).collect()
    }
}

impl Namespace {
    /// The parameters, where `path` belongs to this namespace.
    pub(crate) fn matches(&self, path: &str) -> Option<Params> {
        self.segments.matches(path, percent_decode)
    }

    pub(crate) async fn judge(&self, request: Request<()>) -> Verdict {
        self.handshake.judge(request, &self.hubs.common.counters).await
    }

    pub(crate) fn layers(&self) -> Option<&Call> {
        self.registry.layers()
    }

    pub(crate) fn unreadable(&self) -> Found<'_> {
        self.registry.unreadable()
    }

    pub(crate) fn find(&self, event: &EventName) -> Found<'_> {
        self.registry.find(event)
    }
}

/// Runs hooks in order; the first that refuses ends it.
pub(crate) async fn run_hooks(hooks: Vec<Hook>, event: HookEvent) -> Result<(), Denied> {
    for hook in hooks {
        let (_, verdict) = (hook.check)(event.event(hook.matched)).await;
        verdict?;
    }
    Ok(())
}

/// What a hook's event is made of.
#[derive(Clone)]
pub(crate) struct HookEvent {
    pub(crate) name: &'static str,
    pub(crate) origin: Origin,
    pub(crate) reason: Option<CloseReason>,
}

impl HookEvent {
    /// What happens to an open client.
    pub(crate) fn of(client: &Client, name: &'static str, reason: Option<CloseReason>) -> Self {
        Self { name, origin: Origin::Client(client.clone()), reason }
    }

    pub(crate) fn event(&self, matched: Arc<Matched>) -> Event {
        Event {
            message: Message::new(EventName::from_static(self.name), Payload::Empty),
            origin: self.origin.clone(),
            extensions: http::Extensions::new(),
            matched,
            params: None,
            shared_ack: None,
            manual: None,
            reason: self.reason.clone(),
        }
    }
}

/// Judges a handshake with the connect guards: what they attach goes on the handshake.
pub(crate) async fn run_connect_guards(
    guards: Vec<Hook>,
    mut parts: Parts,
    place: Place,
) -> Result<Parts, Denied> {
    for guard in guards {
        let Place { adapter, path, params, hub } = place.clone();
        let handshake = Arc::new(HandshakeInfo::new(parts.clone(), adapter, path, params));
        let event = HookEvent { name: "connect", origin: Origin::Handshake { handshake, hub }, reason: None };
        let (event, verdict) = (guard.check)(event.event(guard.matched)).await;
        verdict?;
        parts.extensions.extend(event.extensions);
    }
    Ok(parts)
}

/// A path in the one form of all that mean the same (RFC 3986 section 6.2.2): octets that need no encoding stand for
/// themselves, the others have digits in upper case. Each place has one hub by that.
pub(crate) fn canonical(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut pieces = path.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                out.push_str(&piece[2..]);
            }
            Some(_) => {
                out.push('%');
                out.push_str(&piece[..2].to_ascii_uppercase());
                out.push_str(&piece[2..]);
            }
            None => {
                out.push('%');
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

/// RFC 3986 section 2.1. `None` where the bytes are no UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_path_has_one_form() {
        for (path, form) in [
            ("/game/7", "/game/7"),
            ("/game/%37", "/game/7"),
            ("/a%2fb/%c3%a9", "/a%2Fb/%C3%A9"),
            ("/a%", "/a%"),
            ("/a%zz%4", "/a%zz%4"),
            ("/%+1", "/%+1"),
        ] {
            assert_eq!(canonical(path), form);
        }
    }
}
