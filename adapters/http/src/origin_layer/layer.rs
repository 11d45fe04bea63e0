//! The layer.

use std::sync::Arc;

use http::HeaderValue;
use tower::Layer;

use super::OriginService;
use crate::{cors::Cors, origins::Origins};

/// One rule of origins for everything on a server's HTTP: WebSockets, event streams, what is posted, tickets, Socket.IO's
/// polling, and the user's own service.
///
/// ```
/// use narthex_core::{Gateway, Result, Server};
/// use narthex_http::{HttpExt, OriginLayer, Origins};
///
/// fn server(gateway: Gateway) -> Result<Server> {
///     let origins = Origins::list(["https://app.example", "https://admin.example"])?;
///     Ok(Server::new(gateway).layer(OriginLayer::new(origins)))
/// }
/// ```
///
/// * A request of a page that may not come in is answered 403 before anybody else sees it. A request without `Origin`
///   passes, as [`Origins`] says.
/// * The doors use this rule in place of their default, which is the same origin. A door that was given a rule of its own
///   (`.origins(…)`) asks that one too: both must let a page in, so the stricter one decides.
/// * Answers get the CORS headers for the page that asked, so that it may read them. Those that a door, or the user's own
///   service, has put on an answer stay as they are.
/// * A preflight goes on to whoever answers its path: a door says what it takes. Where nobody says anything about methods,
///   the answer is 204 with what [`cors`](Self::cors) says.
///
/// A list is exact: pages that the server serves itself are let in where their origin is in the list. With
/// [`Origins::any`], a page that sends a cookie along is refused by the user's own service too.
///
/// It is an ordinary tower layer and does the same around an axum `Router` that the server is nested in. Around one door's
/// paths or within a gateway's handshake it is in the wrong place: it would see neither preflights nor posts.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until a server has it"]
pub struct OriginLayer {
    origins: Arc<Origins>,
    cors: Arc<Cors>,
}

impl OriginLayer {
    /// The rule, and for the user's own HTTP what is common: the methods `GET, HEAD, POST, PUT, PATCH, DELETE`, with the
    /// headers `Authorization` and `Content-Type`.
    pub fn new(origins: Origins) -> Self {
        let cors = Cors {
            methods: HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
            headers: HeaderValue::from_static("authorization, content-type"),
            exposed: None,
        };
        Self { origins: Arc::new(origins), cors: Arc::new(cors) }
    }

    /// What pages of another origin may send to the user's own HTTP, and read of its answers. The doors know it for
    /// themselves.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Arc::new(cors);
        self
    }
}

impl<S> Layer<S> for OriginLayer {
    type Service = OriginService<S>;

    fn layer(&self, inner: S) -> OriginService<S> {
        OriginService { inner, origins: Arc::clone(&self.origins), cors: Arc::clone(&self.cors) }
    }
}
