//! One-time credentials for a URL.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use narthex_core::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

use super::{
    credentials::MAX_TOKEN,
    expiring::Expiring,
    secret::{SECRET, random},
};

/// How many bytes name a ticket; the others are its secret.
const NAME: usize = 8;

/// How long a ticket lives, where nothing else is said.
const LIFETIME: Duration = Duration::from_secs(30);

/// How many tickets are open at once, where nothing else is said.
const MOST: usize = 10_000;

/// One-time tickets, each of which stands for a token: for clients that can put nothing but a URL together, such as a
/// browser's `WebSocket`, without the token in it.
///
/// Your own HTTP endpoint, which knows the user, issues a ticket and hands it out; the page connects with it in the query;
/// [`Credentials::ticket`](super::Credentials::ticket) redeems it. A ticket is good for 30 seconds and one handshake, whether
/// that is let in or not. Clones share the same tickets; other processes do not.
///
/// ```
/// use narthex_middleware::auth::{Credentials, Tickets};
///
/// # fn run(token: String) -> narthex_core::Result<()> {
/// let tickets = Tickets::new();
/// let credentials = Credentials::default().ticket("auth_ticket", &tickets);
/// // Behind a route of your own:
/// let url = format!("wss://example.com/chat?auth_ticket={}", tickets.issue(token)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tickets {
    open: Arc<Expiring<[u8; NAME], Ticket>>,
    lifetime: Duration,
    most: usize,
}

struct Ticket {
    secret: [u8; SECRET],
    token: String,
}

impl Default for Tickets {
    fn default() -> Self {
        Self::new()
    }
}

impl Tickets {
    /// No tickets yet: 30 seconds each, at most 10,000 of them.
    pub fn new() -> Self {
        Self { open: Arc::default(), lifetime: LIFETIME, most: MOST }
    }

    /// How long a ticket is good for.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How many tickets may be open at once. With one more, [`issue`](Self::issue) fails until one is used or ends.
    #[must_use]
    pub fn most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// A ticket that stands for a token: text that fits in a URL as it is, with 128 random bits in it.
    ///
    /// Limit the rate at the endpoint that calls this, so that no user takes all tickets.
    ///
    /// # Errors
    /// Kind `Limit` when too many tickets are open, or when the token is longer than [`MAX_TOKEN`](super::MAX_TOKEN); kind
    /// `Io` when the system has no randomness to give.
    pub fn issue(&self, token: impl Into<String>) -> Result<String> {
        let token = token.into();
        if token.len() > MAX_TOKEN {
            return Err(Error::new(ErrorKind::Limit, "the token is too long for a ticket"));
        }
        let bytes: [u8; NAME + SECRET] = random()?;
        let (name, secret) = split(bytes);
        match self.open.insert(name, Ticket { secret, token }, self.lifetime, self.most) {
            true => Ok(URL_SAFE_NO_PAD.encode(bytes)),
            false => Err(Error::new(ErrorKind::Limit, "too many tickets are open")),
        }
    }

    /// The token that a ticket stands for, once. A wrong secret spends the ticket too.
    ///
    /// Tickets are looked up by a part that is no secret; the secret is compared in constant time.
    pub fn redeem(&self, ticket: &str) -> Option<String> {
        // Longer text than a ticket's cannot be one, and is not decoded.
        let text = Some(ticket).filter(|text| text.len() == (NAME + SECRET) / 3 * 4)?;
        let bytes: [u8; NAME + SECRET] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (name, secret) = split(bytes);
        let ticket = self.open.take(&name)?;
        bool::from(ticket.secret.ct_eq(&secret)).then_some(ticket.token)
    }
}

fn split(bytes: [u8; NAME + SECRET]) -> ([u8; NAME], [u8; SECRET]) {
    (std::array::from_fn(|at| bytes[at]), std::array::from_fn(|at| bytes[NAME + at]))
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("open", &self.open.len()).finish_non_exhaustive()
    }
}
