//! Users: the login, the tokens, and who a connection and a message are of.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use jsonwebtoken::{EncodingKey, Header};
use narthex::middleware::auth::{JwtKey, JwtLayer};
use narthex::{Client, Denied, DeniedKind};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// For how long a token is good.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// Somebody with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) two_factor: bool,
}

impl User {
    /// Who a connection is of, by the token of its handshake; `None` for nobody in particular.
    pub(crate) fn connected(client: &Client) -> Option<Self> {
        client.handshake().extensions().get::<Connected>().and_then(|Connected(user)| user.clone())
    }
}

/// Who a connection is of, on its handshake.
#[derive(Clone, Debug)]
pub(crate) struct Connected(pub(crate) Option<User>);

/// What a token says beside `sub` and `exp`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    two_factor: bool,
}

/// Issues tokens and knows its own again.
#[derive(Clone)]
pub(crate) struct Users {
    key: Arc<EncodingKey>,
    jwt: JwtLayer<Said>,
    /// What an admin gives at the login; without one there is no admin.
    admin_password: Option<Arc<str>>,
}

/// What a login says.
#[derive(Deserialize)]
struct Login {
    name: String,
    #[serde(default)]
    password: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    sub: &'a str,
    exp: u64,
    roles: &'a [&'a str],
    two_factor: bool,
}

#[derive(Serialize)]
struct Issued {
    token: String,
}

impl Users {
    /// Signs with a secret (HS256).
    pub(crate) fn new(secret: &[u8], admin_password: Option<String>) -> narthex::Result<Self> {
        let jwt = JwtLayer::new(JwtKey::hs256(secret)?);
        let key = Arc::new(EncodingKey::from_secret(secret));
        Ok(Self { key, jwt, admin_password: admin_password.map(Into::into) })
    }

    /// Who the value of an `Authorization` header says that it is; `None` for nobody in particular.
    ///
    /// # Errors
    /// Where the keys fail, never for a token that is not valid.
    pub(crate) async fn find(&self, authorization: Option<&str>) -> Result<Option<User>, Denied> {
        let bearer = authorization.and_then(|value| value.split_once(' '));
        let Some((_, token)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Ok(None);
        };
        match self.jwt.verify(token.trim()).await {
            Ok(claims) => Ok(Some(User {
                id: claims.subject().to_owned(),
                roles: claims.roles.clone(),
                two_factor: claims.two_factor,
            })),
            Err(denied) if denied.kind() == DeniedKind::Unauthorized => Ok(None),
            Err(denied) => Err(denied),
        }
    }

    /// `POST /login` with `{"name": …}`, for an admin with `password` too.
    pub(crate) fn router(&self) -> Router {
        Router::new().route("/login", post(login)).with_state(self.clone())
    }

    fn is_admin(&self, password: &str) -> bool {
        self.admin_password.as_ref().is_some_and(|own| own.as_bytes().ct_eq(password.as_bytes()).into())
    }

    fn issue(&self, name: &str, roles: &[&str]) -> Result<String, jsonwebtoken::errors::Error> {
        let until = SystemTime::now() + LIFETIME;
        let exp = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Token { sub: name, exp, roles, two_factor: false };
        jsonwebtoken::encode(&Header::default(), &claims, &self.key)
    }
}

/// Everybody may take any name. Only admins have a password.
async fn login(State(users): State<Users>, body: Result<Json<Login>, JsonRejection>) -> Response {
    let Ok(Json(Login { name, password })) = body else { return StatusCode::BAD_REQUEST.into_response() };
    let is_admin = users.is_admin(&password);
    if name.is_empty() || name.len() > MAX_NAME {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if !password.is_empty() && !is_admin {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match users.issue(&name, if is_admin { &["admin"] } else { &[] }) {
        Ok(token) => ([(header::CACHE_CONTROL, "no-store")], Json(Issued { token })).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
