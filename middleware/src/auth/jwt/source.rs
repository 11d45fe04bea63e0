//! Where keys come from.

use std::{fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use jsonwebtoken::jwk::JwkSet;
use narthex_core::{BoxError, Error, ErrorKind, Result};

use super::JwtKey;

/// Where the keys of tokens come from: a [`JwtKey`], [`JwtKeys`], or a source of your own, such as an identity provider's set
/// over HTTPS.
///
/// 1. A source MUST choose by `kid` alone, and by nothing else that a token says.
/// 2. It MUST answer `None` for a key that it does not know, and an error only where it cannot know: the peer is answered 401
///    and 500.
/// 3. It SHOULD keep what it has fetched, and MUST NOT fetch anew for every unknown `kid`: peers choose them.
/// 4. It MAY take its time: the handshake's timeout bounds it. It MUST be cancel safe.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The key of a token whose header has this `kid`.
    ///
    /// # Errors
    /// Where the source cannot say. The error is logged; the peer reads "Internal server error".
    async fn key(&self, kid: Option<&str>) -> Result<Option<JwtKey>, BoxError>;
}

#[async_trait]
impl KeySource for JwtKey {
    async fn key(&self, _: Option<&str>) -> Result<Option<JwtKey>, BoxError> {
        Ok(Some(self.clone()))
    }
}

#[async_trait]
impl<S: KeySource + ?Sized> KeySource for Arc<S> {
    async fn key(&self, kid: Option<&str>) -> Result<Option<JwtKey>, BoxError> {
        (**self).key(kid).await
    }
}

/// A fixed set of keys, chosen by `kid`. A token without a `kid` is verified by the only key of a set of one, and refused by a
/// larger one.
#[derive(Clone)]
pub struct JwtKeys(Arc<[JwtKey]>);

impl JwtKeys {
    /// A set of these keys; of several, each needs an [`id`](JwtKey::id) of its own.
    ///
    /// # Errors
    /// Kind `Config` for no key, and for ids that are missing or not different.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Result<Self> {
        let keys: Arc<[JwtKey]> = keys.into_iter().collect();
        let config = |why: &'static str| Err(Error::new(ErrorKind::Config, why));
        if keys.is_empty() {
            return config("there is no key that verifies tokens");
        }
        for (at, key) in keys.iter().enumerate().filter(|_| keys.len() > 1) {
            match key.name() {
                None => return config("a key of several has no id"),
                Some(id) if keys[..at].iter().any(|other| other.name() == Some(id)) => {
                    return config("two keys have one id");
                }
                Some(_) => {}
            }
        }
        Ok(Self(keys))
    }

    /// The keys of a JWK set (RFC 7517 section 5): RS256, ES256 and EdDSA, each by the one algorithm that it is for.
    ///
    /// Keys for encryption and for other algorithms are left out.
    ///
    /// # Errors
    /// Kind `Config` for what is no set, for shared secrets in it (`oct`), for keys whose `alg` is not for their type, and those of
    /// [`new`](Self::new).
    pub fn from_jwks_str(set: &str) -> Result<Self> {
        let set: JwkSet = serde_json::from_str(set)
            .map_err(|error| Error::new(ErrorKind::Config, "this is no JWK set").with_source(error))?;
        let keys = set.keys.iter().filter_map(|jwk| JwtKey::from_jwk(jwk).transpose());
        Self::new(keys.collect::<Result<Vec<_>>>()?)
    }

    /// The keys of a JWK set in a file, which is read once.
    ///
    /// # Errors
    /// Kind `Config` for a file that cannot be read, and those of [`from_jwks_str`](Self::from_jwks_str).
    pub fn from_jwks_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unread = |error| {
            Error::new(ErrorKind::Config, format!("{} cannot be read", path.display())).with_source(error)
        };
        Self::from_jwks_str(&std::fs::read_to_string(path).map_err(unread)?)
    }
}

#[async_trait]
impl KeySource for JwtKeys {
    async fn key(&self, kid: Option<&str>) -> Result<Option<JwtKey>, BoxError> {
        let found = match (kid, &*self.0) {
            (None, [only]) => Some(only),
            (None, _) => None,
            // A set of one without an id, as of a key of your own.
            (Some(_), [only]) if only.name().is_none() => Some(only),
            (kid, keys) => keys.iter().find(|key| key.name() == kid),
        };
        Ok(found.cloned())
    }
}

impl fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
