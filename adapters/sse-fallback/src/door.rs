//! What all paths of one door share, and who answers which request.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Method, Request, Response, StatusCode};
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
static CORS: Cors = Cors {
    methods: HeaderValue::from_static("GET, POST, DELETE"),
    headers: HeaderValue::from_static(
        "authorization, content-type, last-event-id, x-narthex-seq, x-narthex-session",
    ),
    exposed: Some(HeaderValue::from_static("retry-after")),
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
    pub(crate) async fn enter(&self, route: &Route, mut request: Request<HttpBody>) -> Response<HttpBody> {
        let sharing = match self.origins.admit(&mut request, &CORS) {
            Ok(sharing) => sharing,
            Err(answer) => return answer,
        };
        let (head, body) = request.into_parts();
        let mut answer = match head.method {
            Method::GET => self.open(route, head).await,
            Method::POST => self.post(route, &head, body).await,
            Method::DELETE => self.leave(route, &head),
            _ => bare(StatusCode::METHOD_NOT_ALLOWED),
        };
        sharing.apply(answer.headers_mut());
        answer
    }

    /// Answers a request for a ticket, on the path below that of a namespace.
    pub(crate) async fn enter_tickets(
        &self,
        route: &Route,
        mut request: Request<HttpBody>,
    ) -> Response<HttpBody> {
        let sharing = match self.origins.admit(&mut request, &CORS) {
            Ok(sharing) => sharing,
            Err(answer) => return answer,
        };
        let mut answer = self.ticket(route, request.into_parts().0).await;
        sharing.apply(answer.headers_mut());
        answer
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

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("settings", &self.settings)
            .field("sessions", &self.sessions)
            .field("tickets", &self.tickets)
            .finish_non_exhaustive()
    }
}
