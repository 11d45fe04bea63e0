//! Sessions: a signed cookie, as Express's session middleware writes it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use http::header;
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
        let found = match cookie(&request) {
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
        let session = match found {
            Some(session) => session,
            None => {
                let session = Session::default();
                let id = self.store.insert("anonymous", session.clone())?;
                extensions.insert(NewCookie(format!("{COOKIE}={}; Max-Age=86400", self.keys.sign(&id))));
                session
            }
        };
        extensions.insert(session);
        Ok(next.run(request).await)
    }
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

fn cookie(request: &HandshakeRequest) -> Option<String> {
    let values = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}
