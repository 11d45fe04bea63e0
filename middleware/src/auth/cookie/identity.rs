//! Who a cookie is of.

use std::{fmt, ops::Deref, sync::Arc, time::SystemTime};

use narthex_core::{Client, Denied, Event, Extension, FromEvent};

use crate::{
    auth::{ends::ends_at, fault::Fault},
    guards::Authority,
};

/// Who a cookie is of: a subject, an end where there is one, and your own data, which it dereferences to.
///
/// A [`CookieStore`](super::CookieStore) gives it, and [`CookieLayer`](super::CookieLayer) puts it in the handshake's
/// extensions. A handler takes it as `Extension<CookieIdentity<T>>`, or as it is: then it answers `Unauthorized` where there is
/// none.
///
/// Cheap to clone. It never has the cookie itself.
pub struct CookieIdentity<T>(Arc<Inner<T>>);

struct Inner<T> {
    subject: Arc<str>,
    expires_at: Option<SystemTime>,
    data: T,
}

impl<T> CookieIdentity<T> {
    /// An identity without an end.
    pub fn new(subject: impl Into<Arc<str>>, data: T) -> Self {
        Self(Arc::new(Inner { subject: subject.into(), expires_at: None, data }))
    }

    /// An identity that ends at a time: nobody is let in by it any more, and clients that are open are closed.
    pub fn until(subject: impl Into<Arc<str>>, data: T, end: SystemTime) -> Self {
        Self(Arc::new(Inner { subject: subject.into(), expires_at: Some(end), data }))
    }

    /// Who it is.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    pub(super) fn subject_arc(&self) -> Arc<str> {
        Arc::clone(&self.0.subject)
    }

    /// When it ends, where it does.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.expires_at.is_some_and(|end| end <= SystemTime::now())
    }
}

impl<T: Send + Sync + 'static> CookieIdentity<T> {
    /// What a handshake brings. On a client that comes back it replaces what an earlier one brought.
    pub(super) fn take_effect(&self, client: &Client) {
        let on_handshake = || client.handshake().extensions().get::<Self>().cloned();
        let held = client.data::<Self>().or_else(on_handshake);
        // Its first handshake: handlers find the identity there.
        if !held.is_some_and(|held| Arc::ptr_eq(&held.0, &self.0)) {
            client.set_data(self.clone());
        }
        ends_at::<Self>(client, self.0.expires_at);
    }
}

impl<T: Send + Sync + 'static> FromEvent for CookieIdentity<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let found = Extension::from_event(event).await;
        found.map(|Extension(identity)| identity).map_err(|_| Fault::NoCookie.denied())
    }
}

impl<T: Authority> Authority for CookieIdentity<T> {
    fn has_role(&self, role: &str) -> bool {
        self.0.data.has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.0.data.has_scope(scope)
    }
}

impl<T> Deref for CookieIdentity<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.data
    }
}

impl<T> Clone for CookieIdentity<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for CookieIdentity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieIdentity")
            .field("subject", &self.0.subject)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}
