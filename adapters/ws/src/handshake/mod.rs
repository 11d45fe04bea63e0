//! The server's side of the opening handshake (RFC 6455 section 4.2), on `http` types alone.

mod key;
mod protocol;
mod refusal;
#[cfg(test)]
mod tests;

use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode, Version,
    header::{self, HeaderName},
    request::Parts,
};
use narthex_http::is_websocket_upgrade;

pub(crate) use self::{
    protocol::Protocols,
    refusal::{Refusal, last_answer},
};
use crate::codec::accept_key;

/// The values of `Upgrade` and `Connection` in a 101.
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");

/// A request that may become a WebSocket.
#[derive(Debug)]
pub(crate) struct Opening {
    accept: HeaderValue,
    /// The sub-protocols that the client offers; a few clients do.
    offered: Vec<HeaderValue>,
}

impl Opening {
    /// Checks a request by RFC 6455 section 4.2.1. Who may come is not asked here.
    ///
    /// # Errors
    /// [`Refusal`]: the answer for a request that is no valid handshake.
    pub(crate) fn check(parts: &Parts) -> Result<Self, Refusal> {
        if parts.method != Method::GET {
            return Err(Refusal::Method);
        }
        if parts.version < Version::HTTP_11 {
            return Err(Refusal::HttpVersion);
        }
        let headers = &parts.headers;
        if !is_websocket_upgrade(headers) {
            return Err(Refusal::NoUpgrade);
        }
        if !headers.contains_key(header::HOST) && parts.uri.host().is_none() {
            return Err(Refusal::Bad("the Host header is missing"));
        }
        if single(headers, header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Refusal::WebSocketVersion);
        }
        match single(headers, header::SEC_WEBSOCKET_KEY) {
            Some(key) if key::is_valid(key.as_bytes()) => {
                let accept = HeaderValue::try_from(accept_key(key.as_bytes()));
                let accept = accept.map_err(|_| Refusal::Bad("Sec-WebSocket-Key is not a key"))?;
                let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().cloned().collect();
                Ok(Self { accept, offered })
            }
            _ => Err(Refusal::Bad("Sec-WebSocket-Key is not 16 bytes in base64")),
        }
    }

    /// The 101, with headers of the application's layers and the chosen sub-protocol. Where no envelope is chosen, a layer
    /// may name a sub-protocol of its own, if the client offered it.
    ///
    /// Other headers that belong to the handshake itself cannot be set from outside.
    pub(crate) fn accept<B: Default>(self, extra: &HeaderMap, protocol: Option<&'static str>) -> Response<B> {
        let of_layers = || single(extra, header::SEC_WEBSOCKET_PROTOCOL).filter(|name| self.is_offered(name));
        let protocol = protocol.map(HeaderValue::from_static).or_else(|| of_layers().cloned());
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.extend(extra.iter().filter(|(name, _)| !is_ours(name)).map(|(n, v)| (n.clone(), v.clone())));
        headers.insert(header::UPGRADE, WEBSOCKET);
        headers.insert(header::CONNECTION, UPGRADE);
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        if let Some(protocol) = protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }

    /// A server must never name a sub-protocol that was not offered (RFC 6455 section 4.2.2, item 5).
    fn is_offered(&self, name: &HeaderValue) -> bool {
        let mut offers = items(self.offered.iter());
        offers.any(|offer| offer.as_bytes() == name.as_bytes())
    }
}

fn is_ours(name: &HeaderName) -> bool {
    [
        header::UPGRADE,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
        header::SEC_WEBSOCKET_ACCEPT,
        header::SEC_WEBSOCKET_PROTOCOL,
        header::SEC_WEBSOCKET_EXTENSIONS,
    ]
    .contains(name)
}

/// The items of a header that is a comma separated list and may come more than once.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    items(headers.get_all(name).into_iter())
}

fn items<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// The value of a header that must come exactly once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}
