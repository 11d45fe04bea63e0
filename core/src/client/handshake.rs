//! The handshake as it is kept for a client's life: compact, and without the listener's buffers.

use std::{fmt, net::SocketAddr, sync::Arc};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts};

use crate::message::RawJson;

/// The peer's address, as an extension of the handshake's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// Who the client is, as the handshake's layers found out: put it in the request's extensions. A door whose clients come
/// back on another connection refuses one that comes back as somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(pub Arc<str>);

/// What a client sent with its connect beside the HTTP request, as an extension of the handshake's request: Socket.IO's
/// `auth`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthPayload(pub RawJson);

impl fmt::Debug for AuthPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthPayload")
    }
}

/// Headers that carry credentials. `Sec-WebSocket-Protocol` is where a browser's WebSocket can put a token.
const CREDENTIALS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, header::SEC_WEBSOCKET_PROTOCOL];

/// Marks credentials as sensitive, so that no `Debug` of the headers shows them.
pub(crate) fn hide_credentials(headers: &mut HeaderMap) {
    for name in CREDENTIALS {
        if let header::Entry::Occupied(mut values) = headers.entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

/// The parameters that a namespace pattern or an event pattern found, in their order.
pub type Params = Arc<[(Arc<str>, String)]>;

/// The HTTP request a client arrived with, kept for its life.
///
/// It is copied out of the listener's buffers into one small allocation, so that an idle client pins no
/// read buffer. Its `Debug` shows neither the query nor the headers: credentials may be there.
pub struct HandshakeInfo {
    method: Method,
    uri: Box<str>,
    headers: Box<[u8]>,
    extensions: Extensions,
    namespace: Arc<str>,
    params: Option<Params>,
    adapter: &'static str,
}

impl HandshakeInfo {
    pub(crate) fn new(
        parts: Parts,
        adapter: &'static str,
        namespace: Arc<str>,
        params: Option<Params>,
    ) -> Self {
        let mut headers = Vec::with_capacity(256);
        for (name, value) in &parts.headers {
            push_field(&mut headers, name.as_str().as_bytes());
            push_field(&mut headers, value.as_bytes());
        }
        Self {
            method: parts.method,
            uri: parts.uri.to_string().into_boxed_str(),
            headers: headers.into_boxed_slice(),
            extensions: parts.extensions,
            namespace,
            params,
            adapter,
        }
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The request's URI: the namespace's path, with the query of the real URL.
    pub fn uri(&self) -> Uri {
        self.uri.parse().unwrap_or_default()
    }

    /// The query string.
    pub fn query(&self) -> &str {
        self.uri.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<HeaderValue> {
        self.fields()
            .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|(n, v)| header_field(n, v))
            .map(|(_, value)| value)
    }

    /// All headers. Those that carry credentials are marked as sensitive.
    pub fn headers(&self) -> HeaderMap {
        let pairs = self.fields().filter_map(|(name, value)| header_field(name, value));
        pairs.fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
    }

    /// What the handshake's layers put in.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The peer's address, where the door knows it.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.extensions.get::<PeerAddr>().map(|addr| addr.0)
    }

    /// Who the handshake's layers say that the client is, where they say so.
    pub fn principal(&self) -> Option<&str> {
        self.extensions.get::<Principal>().map(|principal| &*principal.0)
    }

    /// What the client sent with its connect beside the HTTP request (Socket.IO's `auth`), where the door has such.
    pub fn auth(&self) -> Option<&RawJson> {
        self.extensions.get::<AuthPayload>().map(|auth| &auth.0)
    }

    /// The name of the adapter that the client came through.
    pub fn adapter(&self) -> &'static str {
        self.adapter
    }

    /// The concrete path of the namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The parameters of the namespace's path.
    pub fn params(&self) -> &[(Arc<str>, String)] {
        self.params.as_deref().unwrap_or_default()
    }

    /// The request's parts, made anew.
    pub fn parts(&self) -> Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri();
        parts.headers = self.headers();
        parts.extensions = self.extensions.clone();
        parts
    }

    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.headers[..];
        std::iter::from_fn(move || {
            let (name, after) = take_field(rest)?;
            let (value, after) = take_field(after)?;
            rest = after;
            Some((name, value))
        })
    }
}

impl fmt::Debug for HandshakeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeInfo")
            .field("adapter", &self.adapter)
            .field("namespace", &self.namespace)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

fn header_field(name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name).ok()?;
    let mut value = HeaderValue::from_bytes(value).ok()?;
    value.set_sensitive(CREDENTIALS.contains(&name));
    Some((name, value))
}

fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    // A listener bounds the head far below 4 GiB.
    out.extend_from_slice(&u32::try_from(field.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(field);
}

fn take_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*len) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_comes_back_as_it_was() {
        let request = http::Request::get("/chat?name=Ada&x=%20")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("cookie", "c=d")
            .extension(PeerAddr(([127, 0, 0, 1], 9).into()))
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let info = HandshakeInfo::new(parts.clone(), "ws", "/chat".into(), None);
        assert_eq!(info.parts().headers, parts.headers);
        assert_eq!(info.uri(), parts.uri);
        assert_eq!(info.query(), "name=Ada&x=%20");
        assert_eq!(info.header("X-A").unwrap(), "1");
        assert_eq!(info.peer_addr().unwrap().port(), 9);
        assert!(info.header("nope").is_none());
    }

    #[test]
    fn no_debug_shows_credentials() {
        let request = http::Request::get("/chat?token=s3cret")
            .header("authorization", "Bearer s3cret")
            .header("cookie", "session=s3cret")
            .header("sec-websocket-protocol", "bearer, s3cret")
            .header("x-a", "shown")
            .extension(AuthPayload(RawJson::new(&"s3cret").unwrap()))
            .body(())
            .unwrap();
        let (mut parts, ()) = request.into_parts();
        hide_credentials(&mut parts.headers);
        let info = HandshakeInfo::new(parts.clone(), "ws", "/chat".into(), None);
        assert_eq!(info.header("authorization").unwrap(), "Bearer s3cret");
        let auth = format!("{:?}", parts.extensions.get::<AuthPayload>());
        let shown = format!("{info:?} {:?} {:?} {auth}", info.headers(), parts.headers);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("shown"), "{shown}");
    }
}
