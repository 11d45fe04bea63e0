//! Sub-protocols (RFC 6455 section 1.9): how a client chooses its envelope.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use narthex_core::{Envelope, Error, ErrorKind, Result};

use super::tokens;

/// The envelopes of a door, the default one first.
#[derive(Clone, Debug)]
pub(crate) struct Protocols {
    envelopes: Arc<[Arc<dyn Envelope>]>,
}

/// The envelope of one client.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) envelope: Arc<dyn Envelope>,
    /// The sub-protocol to name in the 101; `None` where the client offered none that is known.
    pub(crate) name: Option<&'static str>,
}

impl Protocols {
    /// # Errors
    /// Kind `Config` for no envelope at all, for two of one name, and for names that cannot stand in a header.
    pub(crate) fn new(envelopes: &[Arc<dyn Envelope>]) -> Result<Self> {
        if envelopes.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a WebSocket door needs an envelope"));
        }
        for (at, envelope) in envelopes.iter().enumerate() {
            let name = envelope.name();
            if !is_token(name) {
                return Err(Error::new(ErrorKind::Config, format!("{name:?} cannot be a sub-protocol")));
            }
            if envelopes[..at].iter().any(|other| other.name() == name) {
                return Err(Error::new(ErrorKind::Config, format!("two envelopes are called {name:?}")));
            }
        }
        Ok(Self { envelopes: envelopes.into() })
    }

    /// The client's first offer that is known, else the default envelope and no sub-protocol: a server must
    /// never name one that was not offered (RFC 6455 section 4.2.2, item 5).
    pub(crate) fn choose(&self, headers: &HeaderMap) -> Chosen {
        let offers = tokens(headers, header::SEC_WEBSOCKET_PROTOCOL);
        let known = |offer: &str| self.envelopes.iter().find(|envelope| envelope.name() == offer);
        match offers.into_iter().find_map(known) {
            Some(envelope) => Chosen { envelope: Arc::clone(envelope), name: Some(envelope.name()) },
            None => Chosen { envelope: Arc::clone(&self.envelopes[0]), name: None },
        }
    }
}

/// Whether it is a token (RFC 9110 section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_tchar) && HeaderValue::from_str(name).is_ok()
}
