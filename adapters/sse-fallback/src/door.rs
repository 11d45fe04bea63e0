//! What all paths of one door share, and who answers which request.

use std::{fmt, sync::Arc};

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use narthex_core::{Connect, Envelope, ResumeOptions};
use narthex_http::{Cors, HttpBody, Origins, Route};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{bare, unknown_session},
    client::SseClient,
    sessions::{Entry, Sessions},
    settings::Settings,
    tickets::Tickets,
};

/// What pages of another origin may do.
const CORS: Cors = Cors {
    methods: "GET, POST, DELETE",
    headers: "authorization, content-type, last-event-id, x-narthex-seq, x-narthex-session",
    exposed: "retry-after",
};

/// What all paths of one [`Sse`](crate::Sse) share.
pub(crate) struct Door {
    pub(crate) settings: Settings,
    pub(crate) origins: Origins,
    pub(crate) resume: ResumeOptions,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) tickets: Tickets,
    /// One for all clients, so that broadcasts are encoded once.
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) draining: CancellationToken,
    /// Paths are mounted before the core announces itself; a request in between waits for it.
    pub(crate) connect: SetOnce<Connect<SseClient>>,
}

impl Door {
    /// Answers a request on the path of a namespace.
    pub(crate) async fn enter(&self, route: &Route, request: Request<HttpBody>) -> Response<HttpBody> {
        let shared = match self.knock(&request) {
            Ok(shared) => shared,
            Err(answer) => return answer,
        };
        let (head, body) = request.into_parts();
        let answer = match head.method {
            Method::GET => self.open(route, head).await,
            Method::POST => self.post(route, &head, body).await,
            Method::DELETE => self.leave(route, &head),
            _ => bare(StatusCode::METHOD_NOT_ALLOWED),
        };
        with(answer, shared)
    }

    /// Answers a request for a ticket, on the path below that of a namespace.
    pub(crate) async fn enter_tickets(
        &self,
        route: &Route,
        request: Request<HttpBody>,
    ) -> Response<HttpBody> {
        let shared = match self.knock(&request) {
            Ok(shared) => shared,
            Err(answer) => return answer,
        };
        with(self.ticket(route, request.into_parts().0).await, shared)
    }

    /// Asks where the request comes from: gives what the page may read of the answer, or the answer.
    fn knock(&self, request: &Request<HttpBody>) -> Result<HeaderMap, Response<HttpBody>> {
        if request.method() == Method::OPTIONS {
            return Err(self.origins.preflight(request.headers(), &CORS));
        }
        if let Err(refused) = self.origins.check(request.headers()) {
            return Err(refused.response());
        }
        let mut shared = HeaderMap::new();
        self.origins.share(request.headers(), &CORS, &mut shared);
        Ok(shared)
    }

    pub(crate) fn find(
        &self,
        route: &Route,
        head: &http::request::Parts,
    ) -> Result<Arc<Entry>, Response<HttpBody>> {
        let namespace = route.namespace(head.uri.path());
        self.sessions.find(&head.headers, &namespace).ok_or_else(unknown_session)
    }
}

/// The answer, with what a page of another origin may read of it.
fn with(mut answer: Response<HttpBody>, shared: HeaderMap) -> Response<HttpBody> {
    let headers = answer.headers_mut();
    for (name, value) in &shared {
        if *name == header::VARY {
            headers.append(name, value.clone());
        } else {
            headers.insert(name, value.clone());
        }
    }
    answer
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("settings", &self.settings)
            .field("sessions", &self.sessions)
            .field("tickets", &self.tickets)
            .finish_non_exhaustive()
    }
}
