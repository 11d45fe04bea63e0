//! Keys that verify tokens.

use std::{fmt, sync::Arc};

use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc, jwk::Jwk};
use narthex_core::{Error, ErrorKind, Result};

use super::jwk::{Fitness, fitness};
use crate::auth::secret::configured;

/// A key that verifies tokens, by the one algorithm that it is for: what a token says of its algorithm decides nothing.
///
/// As a [`KeySource`](super::KeySource) it is the key of every token, whatever `kid` that names. Cheap to clone; it never
/// shows itself in a log.
#[derive(Clone)]
pub struct JwtKey {
    algorithm: Algorithm,
    decoding: Arc<DecodingKey>,
    id: Option<Arc<str>>,
}

impl JwtKey {
    fn new(algorithm: Algorithm, decoding: DecodingKey) -> Self {
        provide_crypto();
        Self { algorithm, decoding: Arc::new(decoding), id: None }
    }

    /// HS256 (RFC 7518 section 3.2) with a shared secret, which should have 32 random bytes or more; a shorter one is warned
    /// of in the log.
    ///
    /// # Errors
    /// Kind `Config` for an empty secret.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self> {
        let secret = configured(secret.as_ref(), "the secret of HS256")?;
        Ok(Self::new(Algorithm::HS256, DecodingKey::from_secret(secret)))
    }

    /// RS256 (RFC 7518 section 3.3) with a public key in PEM, PKCS #1 or SPKI, of 2048 bits or more.
    ///
    /// # Errors
    /// Kind `Config` for anything else.
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Self::pem(Algorithm::RS256, DecodingKey::from_rsa_pem(pem.as_ref()))
    }

    /// ES256 (RFC 7518 section 3.4) with a public key of the curve P-256 in PEM.
    ///
    /// # Errors
    /// Kind `Config` for anything else.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Self::pem(Algorithm::ES256, DecodingKey::from_ec_pem(pem.as_ref()))
    }

    /// EdDSA (RFC 8037) with a public key of the curve Ed25519 in PEM.
    ///
    /// # Errors
    /// Kind `Config` for anything else.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Self::pem(Algorithm::EdDSA, DecodingKey::from_ed_pem(pem.as_ref()))
    }

    /// Looks at a key as at one of a set: a wrong curve or a private key is found now, and not by the first token.
    fn pem(algorithm: Algorithm, key: jsonwebtoken::errors::Result<DecodingKey>) -> Result<Self> {
        let unfit =
            || Error::new(ErrorKind::Config, format!("this is no public key for {algorithm:?} in PEM"));
        provide_crypto();
        let key = key.map_err(|error| unfit().with_source(error))?;
        let public = Jwk::from_decoding_key(&key, Some(algorithm));
        match fitness(&public.map_err(|error| unfit().with_source(error))?) {
            Fitness::Fit(fit) if fit == algorithm => Ok(Self::new(algorithm, key)),
            _ => Err(unfit()),
        }
    }

    /// A key of a set; `None` for one that is not for signatures of ours.
    ///
    /// # Errors
    /// Kind `Config` for a key that must not be there.
    pub(super) fn from_jwk(jwk: &Jwk) -> Result<Option<Self>> {
        let refused = |why: &str| Error::new(ErrorKind::Config, format!("a key of the set {why}"));
        let algorithm = match fitness(jwk) {
            Fitness::Fit(algorithm) => algorithm,
            Fitness::Other => return Ok(None),
            Fitness::Wrong(why) => return Err(refused(why)),
        };
        let decoding = DecodingKey::from_jwk(jwk);
        let key =
            Self::new(algorithm, decoding.map_err(|error| refused("cannot be read").with_source(error))?);
        Ok(Some(match &jwk.common.key_id {
            Some(id) => key.id(id.as_str()),
            None => key,
        }))
    }

    /// The name (`kid`) by which tokens ask for this key in a set of several.
    #[must_use]
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// Where another crate has turned a second provider on, jsonwebtoken chooses none and panics: it is told. One that the
/// application has chosen before stays.
fn provide_crypto() {
    let _: Result<(), _> = aws_lc::DEFAULT_PROVIDER.install_default();
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
