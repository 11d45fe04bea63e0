//! From a token to claims.

use std::{
    collections::HashSet,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use narthex_core::Denied;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Number, value::RawValue};

use super::{Claims, KeySource};
use crate::auth::{MAX_TOKEN, fault::Fault};

/// By how much clocks may differ, where nothing else is said.
const LEEWAY: Duration = Duration::from_secs(30);

/// By how much they may differ at most.
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Verifies tokens. Cheap enough to clone.
#[derive(Clone)]
pub(super) struct Verifier {
    keys: Arc<dyn KeySource>,
    /// What is asked of every token; the algorithm is the key's.
    asked: Validation,
}

/// The claims that every token must have (RFC 7519 section 4.1).
#[derive(Deserialize)]
struct Registered {
    sub: String,
    exp: Number,
}

impl Verifier {
    pub(super) fn new(keys: Arc<dyn KeySource>) -> Self {
        let mut asked = Validation::new(Algorithm::HS256);
        asked.set_required_spec_claims(&["exp", "sub"]);
        asked.validate_nbf = true;
        asked.leeway = LEEWAY.as_secs();
        Self { keys, asked }
    }

    pub(super) fn set_leeway(&mut self, leeway: Duration) {
        self.asked.leeway = leeway.min(MAX_LEEWAY).as_secs();
    }

    pub(super) fn add_issuer(&mut self, issuer: String) {
        self.asked.iss.get_or_insert_with(HashSet::new).insert(issuer);
        self.asked.required_spec_claims.insert("iss".to_owned());
    }

    pub(super) fn add_audience(&mut self, audience: String) {
        self.asked.aud.get_or_insert_with(HashSet::new).insert(audience);
        self.asked.required_spec_claims.insert("aud".to_owned());
    }

    /// # Errors
    /// `Unauthorized` for a token that is not valid; `Internal` where the key source fails.
    pub(super) async fn verify<T: DeserializeOwned>(&self, token: &str) -> Result<Claims<T>, Denied> {
        if token.len() > MAX_TOKEN {
            return Err(Fault::TooLong.denied());
        }
        let invalid = |_| Fault::Invalid.denied();
        let header = jsonwebtoken::decode_header(token).map_err(invalid)?;
        // Extensions that must be understood, and are not.
        if header.crit.is_some() {
            return Err(Fault::Invalid.denied());
        }
        let key = self.keys.key(header.kid.as_deref()).await.map_err(Denied::internal)?;
        let key = key.ok_or_else(|| Fault::Invalid.denied())?;
        let asked = Validation { algorithms: vec![key.algorithm()], ..self.asked.clone() };
        let body = jsonwebtoken::decode::<Box<RawValue>>(token, key.decoding(), &asked);
        let body = body.map_err(|error| fault(error.kind()).denied())?.claims;
        self.read(&body).ok_or_else(|| Fault::Invalid.denied())
    }

    /// The claims of a verified body; `None` where they are not of the shape that is asked for.
    fn read<T: DeserializeOwned>(&self, body: &RawValue) -> Option<Claims<T>> {
        let Registered { sub, exp } = serde_json::from_str(body.get()).ok()?;
        let expires_at = numeric_date(&exp)?;
        let claims = serde_json::from_str(body.get())
            .inspect_err(|error| tracing::debug!(%error, "a token's claims are not of the expected shape"))
            .ok()?;
        let closes_at = match expires_at > SystemTime::now() {
            true => expires_at,
            false => expires_at + Duration::from_secs(self.asked.leeway),
        };
        // An empty subject says who nobody is.
        (!sub.is_empty()).then(|| Claims::new(sub.into(), expires_at, closes_at, claims))
    }
}

/// Seconds since 1970, in fractions where wanted (RFC 7519 section 2); `None` where no clock can say it.
fn numeric_date(seconds: &Number) -> Option<SystemTime> {
    let since = match seconds.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
    };
    UNIX_EPOCH.checked_add(since)
}

/// What the peer is told. Of a token that was not signed by our key, nothing more.
fn fault(kind: &ErrorKind) -> Fault {
    match kind {
        ErrorKind::ExpiredSignature => Fault::Expired,
        ErrorKind::ImmatureSignature => Fault::Immature,
        _ => Fault::Invalid,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("leeway", &self.asked.leeway)
            .field("issuers", &self.asked.iss)
            .field("audiences", &self.asked.aud)
            .finish_non_exhaustive()
    }
}
