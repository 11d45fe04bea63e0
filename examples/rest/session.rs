//! Sessions: a signed cookie, as Express's session middleware writes it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};
use narthex::middleware::auth::{CookieKeys, CookieStore, MemoryCookieStore};
use narthex::middleware::from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse};
use narthex::{Client, Denied, Extension, HandshakeBody, HandshakeLayer};

/// The cookie's name.
const COOKIE: &str = "hex.sid";

/// What is kept of a visitor. Clones share it, and so do all sockets with one cookie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Who has logged in.
    pub(crate) user: Arc<Mutex<Option<String>>>,
    /// How often it was counted.
    pub(crate) count: Arc<AtomicU64>,
}

/// The cookie of a session that is new, for the client to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewCookie(String);

#[derive(Clone)]
pub(crate) struct Sessions {
    keys: CookieKeys,
    store: MemoryCookieStore<Session>,
}

impl Sessions {
    pub(crate) fn new(secret: Option<&str>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let keys = CookieKeys::new(secret.map_or(&random[..], str::as_bytes))?;
        Ok(Self { keys, store: MemoryCookieStore::new() })
    }

    /// Finds the session of each handshake, or begins one.
    pub(crate) fn layer(self) -> impl HandshakeLayer<HandshakeBody> {
        from_fn::handshake(move |request: HandshakeRequest, next: HandshakeNext| {
            let sessions = self.clone();
            async move { sessions.open(request, next).await }
        })
    }

    async fn open(
        &self,
        mut request: HandshakeRequest,
        next: HandshakeNext,
    ) -> Result<HandshakeResponse, Denied> {
        if request.headers().contains_key("nosession") {
            return Ok(next.run(request).await);
        }
        let channel = channel(request.uri().query().unwrap_or_default());
        let found = match cookie(request.headers()) {
            None if channel != "web-channel" => {
                return Err(Denied::unauthorized("Unauthorized to connect to WS"));
            }
            None => None,
            Some(signed) => {
                let id = self.keys.verify(&signed);
                let id = id.ok_or_else(|| Denied::unauthorized("Unable to parse session ID from cookie"))?;
                let known = self.store.load(&id).await.map_err(Denied::internal)?;
                if known.is_none() && channel == "console-channel" {
                    return Err(Denied::unauthorized("Unauthorized: Unknown session ID"));
                }
                known.map(|identity| Session::clone(&identity))
            }
        };
        let extensions = request.extensions_mut();
        if let Some(session) = found {
            extensions.insert(session);
            return Ok(next.run(request).await);
        }
        let (session, cookie) = self.begin()?;
        let header = HeaderValue::from_str(&cookie)?;
        extensions.insert(session);
        extensions.insert(NewCookie(cookie));
        let mut response = next.run(request).await;
        // Where the door has a response of its own; clients of Socket.IO read it in `welcome`.
        response.headers_mut().append(header::SET_COOKIE, header);
        Ok(response)
    }

    /// A new session, with its cookie.
    fn begin(&self) -> narthex::Result<(Session, String)> {
        let session = Session::default();
        let id = self.store.insert("anonymous", session.clone())?;
        Ok((session, format!("{COOKIE}={}; Max-Age=86400", self.keys.sign(&id))))
    }

    /// The same sessions for routes over HTTP. `GET /__getcookie` begins one, for browsers that need their cookie before they connect.
    pub(crate) fn over_http(self, router: Router) -> Router {
        let begin = Router::new().route("/__getcookie", get(give)).with_state(self.clone());
        router.layer(middleware::from_fn_with_state(self, find)).merge(begin)
    }
}

async fn give(State(sessions): State<Sessions>) -> Result<Response, http::StatusCode> {
    let (_, cookie) = sessions.begin().map_err(|_| http::StatusCode::SERVICE_UNAVAILABLE)?;
    let headers =
        [(header::SET_COOKIE, cookie + "; Path=/"), (header::CONTENT_TYPE, "text/javascript".to_owned())];
    Ok((headers, "").into_response())
}

async fn find(State(sessions): State<Sessions>, mut request: Request, next: Next) -> Response {
    let id = cookie(request.headers()).and_then(|signed| sessions.keys.verify(&signed));
    if let Some(id) = id
        && let Ok(Some(identity)) = sessions.store.load(&id).await
    {
        request.extensions_mut().insert(Session::clone(&identity));
    }
    next.run(request).await
}

/// Gives a new session's cookie to the client, which cannot read it off the handshake.
pub(crate) async fn welcome(client: Client, cookie: Option<Extension<NewCookie>>) -> narthex::Result<()> {
    match cookie {
        Some(Extension(NewCookie(cookie))) => client.emit("set-cookie", &cookie),
        None => Ok(()),
    }
}

fn channel(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("channel=")).unwrap_or_default()
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}
