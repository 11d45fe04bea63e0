use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use narthex_core::Denied;
use serde::de::DeserializeOwned;
use tower::Layer;

use super::{Claims, Jwt, KeySource, verifier::Verifier};
use crate::auth::Credentials;

/// Lets in whoever has a valid token, and says who it is.
///
/// ```
/// use narthex_core::Gateway;
/// use narthex_middleware::auth::{Claims, JwtKey, JwtLayer};
///
/// #[derive(serde::Deserialize)]
/// struct Member {
///     name: String,
/// }
///
/// async fn whoami(member: Claims<Member>) -> String {
///     format!("{} is {}", member.subject(), member.name)
/// }
///
/// # fn run() -> narthex_core::Result<()> {
/// let jwt = JwtLayer::<Member>::new(JwtKey::hs256("a secret of 32 bytes or more, kept elsewhere")?);
/// let gateway = Gateway::new()
///     .on("whoami", whoami)
///     .on("auth.refresh", jwt.refresh())
///     .handshake_layer(jwt);
/// # Ok(())
/// # }
/// ```
///
/// It wraps the handshake, and as well a route of your own HTTP whose body is `From<Bytes>` (axum's is).
///
/// A token must be signed by the key's own algorithm, whatever its header says, and have `exp` and `sub`; `nbf` is checked where
/// it is there. A token for an audience is refused unless [`audience`](Self::audience) names it (RFC 7519 section 4.1.3), and so is one
/// with a `crit` header (RFC 7515 section 4.1.11) or longer than 8 KiB. Times are compared with 30 s of leeway.
///
/// A peer that is refused is answered 401 with `WWW-Authenticate: Bearer` (RFC 6750 section 3) and the body of a failed message;
/// 500 where the key source fails. A peer that is let in brings [`Claims<T>`](super::Claims) and a
/// [`Principal`](narthex_core::Principal), which is `sub`, and is closed with 4401 when its token ends; a token that was accepted
/// within the leeway ends with it. A client that comes back to its session (SSE) has the claims of the token that ends last.
///
/// Cancel safe. The signature is verified in place: some 10 to 100 µs.
pub struct JwtLayer<T> {
    settings: Arc<Settings>,
    claims: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) credentials: Credentials,
    pub(super) verifier: Verifier,
    pub(super) optional: bool,
}

impl<T> JwtLayer<T> {
    /// Takes tokens signed by these keys: a [`JwtKey`](super::JwtKey), [`JwtKeys`](super::JwtKeys), or a source of your own.
    pub fn new(keys: impl KeySource) -> Self {
        let credentials = Credentials::default();
        let settings = Settings { credentials, verifier: Verifier::new(Arc::new(keys)), optional: false };
        Self::of(settings)
    }

    fn of(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), claims: PhantomData }
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Arc::unwrap_or_clone(self.settings);
        change(&mut settings);
        Self::of(settings)
    }

    /// Where tokens may be, instead of [`Credentials::default`].
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.with(|settings| settings.credentials = credentials)
    }

    /// Lets in who has no token, without claims. A token that is there must be valid all the same.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|settings| settings.optional = true)
    }

    /// By how much clocks may differ for `exp` and `nbf`, in whole seconds; 30 s where nothing is said. More than 60 s are taken as
    /// 60 s.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|settings| settings.verifier.set_leeway(leeway))
    }

    /// Takes tokens of this issuer only (`iss`); called again, of one more.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.with(|settings| settings.verifier.add_issuer(issuer.into()))
    }

    /// Takes tokens for this audience only (`aud`); called again, for one more.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with(|settings| settings.verifier.add_audience(audience.into()))
    }

    /// Verifies a token that came another way than with a handshake, as strictly as one that did: for APIs whose messages bring a
    /// token each. It says who sent the message, and changes nothing for the client.
    ///
    /// Cancel safe. What is logged and told of the token is never the token itself.
    ///
    /// # Errors
    /// `Unauthorized` for a token that is not valid; `Internal` where the key source fails.
    pub async fn verify(&self, token: &str) -> Result<Claims<T>, Denied>
    where
        T: DeserializeOwned,
    {
        self.settings.verifier.verify(token).await
    }

    pub(super) fn verifier(&self) -> Verifier {
        self.settings.verifier.clone()
    }
}

impl<S, T> Layer<S> for JwtLayer<T> {
    type Service = Jwt<S, T>;

    fn layer(&self, inner: S) -> Jwt<S, T> {
        Jwt::new(inner, Arc::clone(&self.settings))
    }
}

impl<T> Clone for JwtLayer<T> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), claims: PhantomData }
    }
}

impl<T> fmt::Debug for JwtLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwtLayer").field(&self.settings).finish()
    }
}
