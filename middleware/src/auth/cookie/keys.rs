//! Signatures of cookies.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, Mac};
use narthex_core::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::auth::secret::configured;

/// The longest cookie that is looked at, in bytes (RFC 6265 section 6.1).
const MAX_COOKIE: usize = 4096;

/// What stands before a signed value.
const SIGNED: &str = "s:";

/// What JavaScript's `encodeURIComponent` encodes.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The secrets that cookies are signed with: HMAC-SHA256, as `s:<id>.<signature in base64 without padding>`, percent-encoded.
///
/// This is the form of Express's signed cookies (`cookie-signature`, `express-session`), so those of an application beside
/// are read as they are. Cheap enough to clone; it never shows itself in a log.
#[derive(Clone)]
pub struct CookieKeys {
    /// The first signs; all verify.
    macs: Vec<Hmac<Sha256>>,
}

impl CookieKeys {
    /// Signs and verifies with this secret, which should have 32 random bytes or more; a shorter one is warned of in the
    /// log.
    ///
    /// # Errors
    /// Kind `Config` for an empty secret.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self { macs: vec![mac(secret.as_ref())?] })
    }

    /// Verifies with an older secret too, so that a secret can be replaced while cookies of the older one are about.
    ///
    /// # Errors
    /// Kind `Config` for an empty secret.
    pub fn older(mut self, secret: impl AsRef<[u8]>) -> Result<Self> {
        self.macs.push(mac(secret.as_ref())?);
        Ok(self)
    }

    /// The value of a cookie with this id, for `Set-Cookie`.
    pub fn sign(&self, id: &str) -> String {
        let signature = self.macs.first().map(|mac| mac.clone().chain_update(id).finalize().into_bytes());
        let signature = STANDARD_NO_PAD.encode(signature.unwrap_or_default());
        utf8_percent_encode(&format!("{SIGNED}{id}.{signature}"), &ENCODED).to_string()
    }

    /// The id in the value of a cookie, where one of the secrets has signed it. Signatures are compared in constant time.
    pub fn verify(&self, value: &str) -> Option<String> {
        if value.len() > MAX_COOKIE {
            return None;
        }
        let value = percent_decode_str(value).decode_utf8().ok()?;
        let (id, signature) = value.strip_prefix(SIGNED)?.rsplit_once('.')?;
        let signature = STANDARD_NO_PAD.decode(signature).ok()?;
        // Every secret is tried, so that the time does not say which fits.
        let signed = |mac: &Hmac<Sha256>| mac.clone().chain_update(id).verify_slice(&signature).is_ok();
        let fits = self.macs.iter().filter(|mac| signed(mac)).count();
        (fits > 0 && !id.is_empty()).then(|| id.to_owned())
    }
}

fn mac(secret: &[u8]) -> Result<Hmac<Sha256>> {
    let secret = configured(secret, "the secret of cookies")?;
    Hmac::new_from_slice(secret)
        .map_err(|error| Error::new(ErrorKind::Config, "the secret of cookies is no key").with_source(error))
}

impl fmt::Debug for CookieKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieKeys").field("len", &self.macs.len()).finish_non_exhaustive()
    }
}
