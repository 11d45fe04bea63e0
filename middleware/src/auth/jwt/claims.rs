//! What a verified token says.

use std::{fmt, ops::Deref, sync::Arc, time::SystemTime};

use narthex_core::{Client, Denied, Event, Extension, FromEvent};

use crate::{
    auth::{ends::ends_at, fault::Fault},
    guards::Authority,
};

/// What a verified token says: its subject, its end, and your own claims, which it dereferences to.
///
/// [`JwtLayer`](super::JwtLayer) puts it in the handshake's extensions, and [`JwtLayer::refresh`](super::JwtLayer::refresh)
/// replaces it for the rest of a client's life. A handler takes it as `Extension<Claims<T>>`, or as it is: `Claims<T>` as an
/// argument answers `Unauthorized` where there are none, and `Option<Claims<T>>` is for clients with and without a token.
///
/// Cheap to clone. It never has the token itself.
pub struct Claims<T>(Arc<Inner<T>>);

struct Inner<T> {
    subject: Arc<str>,
    expires_at: SystemTime,
    /// When the client is closed: later than `expires_at` for a token that was accepted within the leeway.
    closes_at: SystemTime,
    claims: T,
}

impl<T> Claims<T> {
    pub(super) fn new(subject: Arc<str>, expires_at: SystemTime, closes_at: SystemTime, claims: T) -> Self {
        Self(Arc::new(Inner { subject, expires_at, closes_at, claims }))
    }

    /// Who the token is for (`sub`).
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    pub(super) fn subject_arc(&self) -> Arc<str> {
        Arc::clone(&self.0.subject)
    }

    /// When the token ends (`exp`).
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires_at
    }
}

impl<T: Send + Sync + 'static> Claims<T> {
    /// The claims that a client has now: its latest token's, else its handshake's.
    pub(super) fn of(client: &Client) -> Option<Self> {
        client.data::<Self>().or_else(|| client.handshake().extensions().get::<Self>().cloned())
    }

    /// These claims are the client's from now on, and it is closed when they end.
    pub(super) fn replace(self, client: &Client) {
        ends_at::<Self>(client, Some(self.0.closes_at));
        client.set_data(self);
    }

    /// What a handshake brings. A client that comes back may have been given a later end in the meantime, which stays.
    pub(super) fn take_effect(&self, client: &Client) {
        match Self::of(client) {
            // Its first handshake: handlers find the claims there.
            Some(held) if Arc::ptr_eq(&held.0, &self.0) => ends_at::<Self>(client, Some(self.0.closes_at)),
            Some(held) if held.0.closes_at > self.0.closes_at => {}
            _ => self.clone().replace(client),
        }
    }
}

impl<T: Send + Sync + 'static> FromEvent for Claims<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let found = Extension::from_event(event).await;
        found.map(|Extension(claims)| claims).map_err(|_| Fault::NoToken.denied())
    }
}

impl<T: Authority> Authority for Claims<T> {
    fn has_role(&self, role: &str) -> bool {
        self.0.claims.has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.0.claims.has_scope(scope)
    }
}

impl<T> Deref for Claims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.claims
    }
}

impl<T> Clone for Claims<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Claims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("subject", &self.0.subject)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}
