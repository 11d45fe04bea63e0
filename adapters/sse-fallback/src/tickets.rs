//! One-time credentials for a URL.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use narthex_core::{HandshakeInfo, Result};
use narthex_http::Origins;
use tokio::time::Instant;

use crate::{
    secret::{Secret, random},
    sessions::Entry,
};

/// How many characters of a ticket name it; the others are its secret.
const NAME_CHARS: usize = 11;

/// What a ticket stands for. It has credentials in it, so it has no `Debug`.
pub(crate) struct Ticket {
    /// The request that asked for it, with its credentials. They are judged again when the ticket is used.
    pub(crate) asked: Box<HandshakeInfo>,
    /// The session that it goes on with; without one it opens a new one.
    pub(crate) session: Option<Arc<Entry>>,
    origin: Option<HeaderValue>,
    /// The origin is the server's own, or there was none.
    at_home: bool,
}

impl Ticket {
    pub(crate) fn new(asked: HandshakeInfo, session: Option<Arc<Entry>>) -> Self {
        let headers = asked.headers();
        let at_home = Origins::same_origin().check(&headers).is_ok();
        Self { asked: Box::new(asked), session, origin: headers.get(header::ORIGIN).cloned(), at_home }
    }

    /// Whether a request may be the page's that asked for the ticket. Browsers name no origin when they ask their own.
    pub(crate) fn is_for(&self, headers: &HeaderMap) -> bool {
        match headers.get(header::ORIGIN) {
            Some(origin) => self.origin.as_ref() == Some(origin),
            None => self.at_home,
        }
    }
}

struct Open {
    secret: Secret,
    until: Instant,
    ticket: Ticket,
}

/// The tickets that nobody has used yet.
pub(crate) struct Tickets {
    open: Mutex<HashMap<[u8; 8], Open>>,
    lifetime: Duration,
    most: usize,
}

impl Tickets {
    pub(crate) fn new(lifetime: Duration, most: usize) -> Self {
        Self { open: Mutex::default(), lifetime, most }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 8], Open>> {
        // No code of a user runs under this lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket as text; `None` where too many are open.
    ///
    /// # Errors
    /// Kind `Io` when the system has no randomness to give.
    pub(crate) fn issue(&self, ticket: Ticket) -> Result<Option<String>> {
        let (name, secret) = (random()?, Secret::generate()?);
        let text = format!("{}{}", URL_SAFE_NO_PAD.encode(name), secret.reveal());
        let now = Instant::now();
        let mut open = self.lock();
        if open.len() >= self.most || open.len() == open.capacity() {
            open.retain(|_, open| open.until > now);
        }
        if open.len() >= self.most {
            return Ok(None);
        }
        open.insert(name, Open { secret, until: now + self.lifetime, ticket });
        Ok(Some(text))
    }

    /// What a ticket stands for, once. A wrong secret spends it too.
    pub(crate) fn spend(&self, text: &str) -> Option<Ticket> {
        let (name, secret) = text.split_at_checked(NAME_CHARS)?;
        let name: [u8; 8] = URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok()?;
        let secret = Secret::parse(secret)?;
        let open = self.lock().remove(&name)?;
        (open.secret.is(&secret) && open.until > Instant::now()).then_some(open.ticket)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("open", &self.lock().len()).finish_non_exhaustive()
    }
}
