//! One token for REST and for sockets.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use narthex::middleware::auth::{Credentials, JwtKey, JwtLayer};
use serde::{Deserialize, Serialize};

/// For how long a token is good.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What a token says beside who it is for.
#[derive(Debug, Deserialize)]
pub(crate) struct Author {}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    exp: u64,
}

#[derive(Clone)]
pub(crate) struct Tokens {
    key: Arc<EncodingKey>,
    jwt: JwtLayer<Author>,
}

impl Tokens {
    /// Signs with a secret (HS256).
    pub(crate) fn new(secret: &str) -> narthex::Result<Self> {
        // The chapter's clients put it into the URL, by the names that their transports use.
        let credentials = Credentials::default().query("auth_token").query("token");
        let jwt = JwtLayer::new(JwtKey::hs256(secret)?).credentials(credentials);
        Ok(Self { key: Arc::new(EncodingKey::from_secret(secret.as_bytes())), jwt })
    }

    /// Lets in who has a token: a handshake, or a request of the REST API.
    pub(crate) fn layer(&self) -> JwtLayer<Author> {
        self.jwt.clone()
    }

    pub(crate) fn issue(&self, name: &str) -> jsonwebtoken::errors::Result<String> {
        let exp = (SystemTime::now() + LIFETIME).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        jsonwebtoken::encode(&Header::default(), &Claims { sub: name, exp }, &self.key)
    }
}
