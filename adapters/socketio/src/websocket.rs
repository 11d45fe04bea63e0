//! The answer to a WebSocket's handshake (RFC 6455 section 4.2.2).

use http::{Request, Response};

/// The 101, or `None` where the request is none that can be upgraded.
pub(crate) fn switching(request: &Request<()>) -> Option<Response<()>> {
    tungstenite::handshake::server::create_response(request).ok()
}
