//! Where a token may be.

use std::{borrow::Cow, fmt};

use http::{Request, header};
use narthex_core::{AuthPayload, Denied};
use serde_json::{Map, Value};

use super::{
    Tickets,
    fault::Fault,
    fields::{cookies, is_b64token, list, query},
};

/// The longest token that is looked at, in bytes. A longer one is refused unread.
pub const MAX_TOKEN: usize = 8 * 1024;

/// The sub-protocol that announces a token, and the scheme of the `Authorization` header.
pub(super) const BEARER: &str = "bearer";

/// Where in a handshake a token may be.
///
/// A token in a place that is not named here is not seen. What is in a named place must be a token: malformed ones are
/// refused, not passed over, and so are two places that disagree.
///
/// | place | for | its price |
/// | --- | --- | --- |
/// | [`bearer`](Self::bearer) | whoever can set headers | none |
/// | [`auth_payload`](Self::auth_payload) | Socket.IO clients: `io(url, { auth: { token } })` | none |
/// | [`subprotocol`](Self::subprotocol) | browsers: `new WebSocket(url, ["bearer", token])` | servers and proxies may log the header |
/// | [`ticket`](Self::ticket) | browsers that can send a URL only | one request more |
/// | [`cookie`](Self::cookie) | pages | browsers send it unasked: the door's list of origins must be strict |
/// | [`query`](Self::query) | clients that can do nothing else | URLs are logged, kept in histories, and shared |
///
/// The [default](Self::default) is the first three: they leak nothing by themselves, and a browser never sends them
/// unasked. A cookie and a query are there by choice only.
///
/// ```
/// use narthex_middleware::auth::Credentials;
///
/// let credentials = Credentials::default().query("token");
/// ```
#[derive(Clone)]
#[must_use = "credentials are nothing until a layer has them"]
pub struct Credentials(Vec<Place>);

#[derive(Clone)]
enum Place {
    Authorization,
    Cookie(String),
    Query(String),
    Subprotocol,
    AuthPayload(String),
    Ticket(String, Tickets),
}

impl Default for Credentials {
    /// The `Authorization` header, `token` in Socket.IO's auth payload, and the sub-protocol.
    fn default() -> Self {
        Self::bearer().auth_payload("token").subprotocol()
    }
}

impl Credentials {
    /// Nowhere yet.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The header `Authorization: Bearer <token>` (RFC 6750 section 2.1). Other schemes in it are somebody else's.
    pub fn bearer() -> Self {
        Self(vec![Place::Authorization])
    }

    /// And a cookie of this name.
    pub fn cookie(self, name: impl Into<String>) -> Self {
        self.and(Place::Cookie(name.into()))
    }

    /// And a parameter of this name in the URL's query (RFC 6750 section 2.3, which advises against it).
    pub fn query(self, name: impl Into<String>) -> Self {
        self.and(Place::Query(name.into()))
    }

    /// And the sub-protocols `bearer, <token>` of a WebSocket's handshake. The answer names `bearer`, unless it names an
    /// envelope that was offered too.
    pub fn subprotocol(self) -> Self {
        self.and(Place::Subprotocol)
    }

    /// And a member of this name in Socket.IO's auth payload. A payload without it, or with `null` in it, has no token.
    pub fn auth_payload(self, member: impl Into<String>) -> Self {
        self.and(Place::AuthPayload(member.into()))
    }

    /// And a one-time ticket in a parameter of this name in the URL's query, which stands for a token.
    ///
    /// The SSE door has tickets of its own, by the name `ticket`: choose another one where that door is open. A ticket opens one
    /// client, and on Socket.IO the first namespace of a connection spends it. Two gateways of one namespace that both look for
    /// tickets refuse everybody, since the first spends it: put the layer on the server there.
    pub fn ticket(self, parameter: impl Into<String>, tickets: &Tickets) -> Self {
        self.and(Place::Ticket(parameter.into(), tickets.clone()))
    }

    fn and(mut self, place: Place) -> Self {
        self.0.push(place);
        self
    }

    /// The token of a handshake; `None` where no place has any. Spends the ticket that it finds.
    ///
    /// For layers of your own, with tokens that are no JWT.
    ///
    /// # Errors
    /// `Unauthorized` for what is malformed, longer than [`MAX_TOKEN`], a ticket that is spent, or places that disagree.
    pub fn find<B>(&self, request: &Request<B>) -> Result<Option<Token>, Denied> {
        self.search(request).map_err(Fault::denied)
    }

    pub(super) fn search<B>(&self, request: &Request<B>) -> Result<Option<Token>, Fault> {
        let mut found: Option<Token> = None;
        for place in &self.0 {
            for text in place.texts(request)? {
                let token = place.token(text)?;
                match &mut found {
                    Some(other) if *other.text != *token.text => return Err(Fault::Disagreeing),
                    Some(other) => other.subprotocol |= token.subprotocol,
                    None => found = Some(token),
                }
            }
        }
        Ok(found)
    }
}

impl Place {
    /// All that the request has in this place.
    fn texts<'a, B>(&self, request: &'a Request<B>) -> Result<Vec<Cow<'a, str>>, Fault> {
        let headers = request.headers();
        match self {
            Self::Authorization => {
                let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
                match (values.next(), values.next()) {
                    (None, _) => Ok(Vec::new()),
                    (Some(value), None) => authorization(value.to_str().map_err(|_| Fault::Malformed)?),
                    (Some(_), Some(_)) => Err(Fault::Malformed),
                }
            }
            Self::Cookie(name) => cookies(headers, name).map(|value| value.map(Cow::Borrowed)).collect(),
            Self::Query(name) | Self::Ticket(name, _) => query(request.uri(), name).collect(),
            Self::Subprotocol => subprotocol(request),
            Self::AuthPayload(member) => match request.extensions().get::<AuthPayload>() {
                Some(payload) => member_of(payload, member),
                None => Ok(Vec::new()),
            },
        }
    }

    fn token(&self, text: Cow<'_, str>) -> Result<Token, Fault> {
        if text.len() > MAX_TOKEN {
            return Err(Fault::TooLong);
        }
        if !is_b64token(&text) {
            return Err(Fault::Malformed);
        }
        let text = match self {
            Self::Ticket(_, tickets) => tickets.redeem(&text).ok_or(Fault::Ticket)?,
            _ => text.into_owned(),
        };
        Ok(Token { text, subprotocol: matches!(self, Self::Subprotocol) })
    }
}

/// The token behind `Bearer`, in any case (RFC 9110 section 11.1).
fn authorization(value: &str) -> Result<Vec<Cow<'_, str>>, Fault> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    match scheme.eq_ignore_ascii_case(BEARER) {
        true => Ok(vec![Cow::Borrowed(rest.trim_matches(' '))]),
        false => Ok(Vec::new()),
    }
}

/// The offer behind each `bearer`.
fn subprotocol<B>(request: &Request<B>) -> Result<Vec<Cow<'_, str>>, Fault> {
    let mut offers = list(request.headers(), header::SEC_WEBSOCKET_PROTOCOL);
    let mut found = Vec::new();
    while let Some(offer) = offers.next() {
        if offer? == BEARER {
            found.push(Cow::Borrowed(offers.next().ok_or(Fault::Malformed)??));
        }
    }
    Ok(found)
}

fn member_of<'a>(payload: &AuthPayload, member: &str) -> Result<Vec<Cow<'a, str>>, Fault> {
    let payload: Value = payload.0.parse().map_err(|_| Fault::Malformed)?;
    let Value::Object(mut payload) = payload else { return Ok(Vec::new()) };
    match Map::remove(&mut payload, member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(token)) => Ok(vec![Cow::Owned(token)]),
        Some(_) => Err(Fault::Malformed),
    }
}

/// A token that a handshake brought. Not verified.
pub struct Token {
    text: String,
    subprotocol: bool,
}

impl Token {
    /// The token itself, for who verifies it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it came as a sub-protocol, so that the answer must name `bearer` in `Sec-WebSocket-Protocol`: browsers close
    /// a WebSocket whose server chose none of their offers (RFC 6455 section 4.1).
    pub fn is_subprotocol(&self) -> bool {
        self.subprotocol
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization => f.write_str("Authorization"),
            Self::Cookie(name) => write!(f, "Cookie({name:?})"),
            Self::Query(name) => write!(f, "Query({name:?})"),
            Self::Subprotocol => f.write_str("Subprotocol"),
            Self::AuthPayload(member) => write!(f, "AuthPayload({member:?})"),
            Self::Ticket(name, _) => write!(f, "Ticket({name:?})"),
        }
    }
}
