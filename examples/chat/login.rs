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
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::check_name;

/// What a token says of a guest, beside who it is (`sub`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub(crate) name: String,
}

/// Issues tokens and knows its own again.
#[derive(Clone)]
pub(crate) struct Login {
    key: Arc<EncodingKey>,
    jwt: JwtLayer<Guest>,
    lifetime: Duration,
}

#[derive(Serialize)]
struct Token<'a> {
    sub: &'a str,
    exp: u64,
    name: &'a str,
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
    pub(crate) fn new(secret: &[u8], lifetime: Duration) -> narthex::Result<Self> {
        let key = Arc::new(EncodingKey::from_secret(secret));
        Ok(Self { key, jwt: JwtLayer::new(JwtKey::hs256(secret)?), lifetime })
    }

    /// Lets in who has a token of this login.
    pub(crate) fn layer(&self) -> JwtLayer<Guest> {
        self.jwt.clone()
    }

    /// `POST /login` with `{"name": …}`, and `POST /refresh` with a token that is still good.
    pub(crate) fn router(&self) -> Router {
        let refresh = post(refresh).layer(self.layer());
        Router::new().route("/login", post(login)).route("/refresh", refresh).with_state(self.clone())
    }

    fn issue(&self, subject: &str, name: &str) -> Response {
        let until = SystemTime::now() + self.lifetime;
        let exp = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Token { sub: subject, exp, name };
        match jsonwebtoken::encode(&Header::default(), &claims, &self.key) {
            Ok(token) => {
                let issued = Issued { token, seconds: self.lifetime.as_secs() };
                ([(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response()
            }
            Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".to_owned()),
        }
    }
}

/// Everybody may take any name that is one: this chat has no passwords.
async fn login(State(login): State<Login>, body: Result<Json<Guest>, JsonRejection>) -> Response {
    let Ok(Json(guest)) = body else {
        return refused(StatusCode::BAD_REQUEST, r#"a login is {"name": …}, as JSON"#.to_owned());
    };
    match check_name(&guest.name) {
        Ok(()) => login.issue(&Uuid::now_v7().to_string(), &guest.name),
        Err(denied) => refused(StatusCode::BAD_REQUEST, denied.to_string()),
    }
}

async fn refresh(State(login): State<Login>, Extension(claims): Extension<Claims<Guest>>) -> Response {
    login.issue(claims.subject(), &claims.name)
}

fn refused(status: StatusCode, message: String) -> Response {
    (status, Json(Refused { status: "error", message })).into_response()
}
