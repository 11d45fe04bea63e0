use std::{fmt, sync::Arc};

use tower::Layer;

use super::{Cookie, CookieKeys, CookieStore};

/// Lets in whoever has a cookie that was signed here, and says who it is.
///
/// ```
/// use narthex_core::Gateway;
/// use narthex_middleware::auth::{CookieIdentity, CookieKeys, CookieLayer, MemoryCookieStore};
///
/// #[derive(Clone)]
/// struct Member {
///     name: String,
/// }
///
/// async fn whoami(member: CookieIdentity<Member>) -> String {
///     format!("{} is {}", member.subject(), member.name)
/// }
///
/// # fn run() -> narthex_core::Result<()> {
/// let keys = CookieKeys::new("a secret of 32 bytes or more, kept elsewhere")?;
/// let store = MemoryCookieStore::new();
///
/// // Where somebody logs in, behind a route of your own:
/// let id = store.insert("user-7", Member { name: "Ada".to_owned() })?;
/// let set_cookie = format!("sid={}; Path=/; HttpOnly; Secure; SameSite=Lax", keys.sign(&id));
///
/// let gateway = Gateway::new().on("whoami", whoami).handshake_layer(CookieLayer::new("sid", keys, store));
/// # Ok(())
/// # }
/// ```
///
/// A peer without the cookie, with a bad signature, or with an id that the store does not know is answered 401, and 500 where the
/// store fails. A peer that is let in brings a [`CookieIdentity`](super::CookieIdentity) and a
/// [`Principal`](narthex_core::Principal), and is closed with 4401 when the identity ends.
///
/// Browsers send cookies unasked: leave the door's list of origins strict (same origin by default).
///
/// Cancel safe where the store is.
pub struct CookieLayer<C> {
    settings: Arc<Settings<C>>,
    optional: bool,
}

pub(super) struct Settings<C> {
    pub(super) name: String,
    pub(super) keys: CookieKeys,
    pub(super) store: C,
}

impl<C: CookieStore> CookieLayer<C> {
    /// Takes cookies of this name, signed by one of these keys, whose id this store knows.
    pub fn new(name: impl Into<String>, keys: CookieKeys, store: C) -> Self {
        Self { settings: Arc::new(Settings { name: name.into(), keys, store }), optional: false }
    }

    /// Lets in who has no cookie, without an identity. A cookie that is there must be valid all the same.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl<S, C> Layer<S> for CookieLayer<C> {
    type Service = Cookie<S, C>;

    fn layer(&self, inner: S) -> Cookie<S, C> {
        Cookie::new(inner, Arc::clone(&self.settings), self.optional)
    }
}

impl<C> Clone for CookieLayer<C> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), optional: self.optional }
    }
}

impl<C> fmt::Debug for CookieLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieLayer")
            .field("settings", &self.settings)
            .field("optional", &self.optional)
            .finish()
    }
}

impl<C> fmt::Debug for Settings<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("name", &self.name).field("keys", &self.keys).finish_non_exhaustive()
    }
}
