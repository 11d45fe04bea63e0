//! The login: a name is exchanged for a token, and a token for a newer one.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{
    Json, Router,
    extract::{Extension, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use jsonwebtoken::{EncodingKey, Header};
use narthex::middleware::auth::{Claims, JwtKey, JwtLayer};
use narthex::middleware::rate_limit::{Rate, RateLimitLayer};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::text::check_name;

/// What a token says of a guest, beside who it is (`sub`).
#[derive(Debug, Deserialize)]
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) staff: bool,
}

/// What a login says.
#[derive(Deserialize)]
struct Asked {
    name: String,
    #[serde(default)]
    password: String,
}

/// Issues tokens and knows its own again.
#[derive(Clone)]
pub(crate) struct Login {
    key: Arc<EncodingKey>,
    jwt: JwtLayer<Guest>,
    lifetime: Duration,
    /// What the staff give at the login; without one there is no staff.
    password: Option<Arc<str>>,
}

#[derive(Serialize)]
struct Token<'a> {
    sub: &'a str,
    exp: u64,
    name: &'a str,
    staff: bool,
}

/// The answer to a login: the token, and for how long it is good.
#[derive(Serialize)]
struct Issued {
    token: String,
    seconds: u64,
}

#[derive(Serialize)]
struct Refused {
    status: &'static str,
    message: String,
}

impl Login {
    /// Signs with a secret (HS256).
    pub(crate) fn new(secret: &[u8], lifetime: Duration, password: Option<String>) -> narthex::Result<Self> {
        let key = Arc::new(EncodingKey::from_secret(secret));
        let password = password.map(Into::into);
        Ok(Self { key, jwt: JwtLayer::new(JwtKey::hs256(secret)?), lifetime, password })
    }

    /// Lets in who has a token of this login.
    pub(crate) fn layer(&self) -> JwtLayer<Guest> {
        self.jwt.clone()
    }

    /// `POST /login` with `{"name": …}`, 60 a minute of one address, and `POST /refresh` with a token that is still good.
    pub(crate) fn router(&self) -> Router {
        let refresh = post(refresh).layer(self.layer());
        // Nobody tries passwords as fast as the network carries them.
        let tries = RateLimitLayer::none().connects(Rate::per_minute(60));
        let login = post(login).layer(tries);
        Router::new().route("/login", login).route("/refresh", refresh).with_state(self.clone())
    }

    fn is_staff(&self, password: &str) -> bool {
        self.password.as_ref().is_some_and(|own| own.as_bytes().ct_eq(password.as_bytes()).into())
    }

    fn issue(&self, subject: &str, name: &str, staff: bool) -> Response {
        let until = SystemTime::now() + self.lifetime;
        let exp = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Token { sub: subject, exp, name, staff };
        match jsonwebtoken::encode(&Header::default(), &claims, &self.key) {
            Ok(token) => {
                let issued = Issued { token, seconds: self.lifetime.as_secs() };
                ([(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response()
            }
            Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".to_owned()),
        }
    }
}

/// Everybody may take any name that is one. Only the staff have a password.
async fn login(State(login): State<Login>, body: Result<Json<Asked>, JsonRejection>) -> Response {
    let Ok(Json(Asked { name, password })) = body else {
        return refused(StatusCode::BAD_REQUEST, r#"a login is {"name": …}, as JSON"#.to_owned());
    };
    if let Err(denied) = check_name(&name) {
        return refused(StatusCode::BAD_REQUEST, denied.to_string());
    }
    let staff = login.is_staff(&password);
    if !password.is_empty() && !staff {
        return refused(StatusCode::UNAUTHORIZED, "this is not the staff's password".to_owned());
    }
    login.issue(&Uuid::now_v7().to_string(), &name, staff)
}

/// The same guest, for longer.
async fn refresh(State(login): State<Login>, Extension(guest): Extension<Claims<Guest>>) -> Response {
    login.issue(guest.subject(), &guest.name, guest.staff)
}

fn refused(status: StatusCode, message: String) -> Response {
    (status, Json(Refused { status: "error", message })).into_response()
}
