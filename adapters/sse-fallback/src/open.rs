//! GET: a stream is opened, or a session goes on with another.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use narthex_core::{AttachError, Carrier, Resumable};
use narthex_http::{HttpBody, Route, boxed, text};

use crate::{
    answer::{bare, refused, unknown_session},
    claim::{LAST_EVENT_ID, LAST_EVENT_ID_QUERY, SESSION, TICKET, query},
    client::SseClient,
    door::Door,
    secret::Secret,
    sessions::Entry,
    stream::Events,
    tickets::Ticket,
    wire,
};

impl Door {
    /// Answers a GET.
    pub(crate) async fn open(&self, route: &Route, head: Parts) -> Response<HttpBody> {
        let last_seen = match last_seen(&head) {
            Ok(last_seen) => last_seen,
            Err(answer) => return answer,
        };
        if let Some(ticket) = query(&head, TICKET) {
            // No content makes a browser stop asking; its page opens anew.
            return match self.tickets.spend(ticket) {
                Some(ticket) => self.open_by(route, ticket, head, last_seen).await,
                None => bare(StatusCode::NO_CONTENT),
            };
        }
        let entry = match head.headers.contains_key(SESSION).then(|| self.find(route, &head)) {
            None if last_seen.is_some() => {
                // It was here before, and cannot say who it was: a fresh session would hide what it has missed.
                return unknown_session();
            }
            None => None,
            Some(Ok(entry)) => Some(entry),
            Some(Err(unknown)) => return unknown,
        };
        self.go(route, bared(head), entry, last_seen).await
    }

    /// A ticket stands for the request that asked for it: that one's credentials are judged again.
    async fn open_by(
        &self,
        route: &Route,
        ticket: Ticket,
        head: Parts,
        last_seen: Option<u64>,
    ) -> Response<HttpBody> {
        let at_its_namespace = route.namespace(head.uri.path()) == ticket.asked.namespace();
        if !ticket.is_for(&head.headers) || !at_its_namespace {
            return text(StatusCode::FORBIDDEN, "The ticket is for another page");
        }
        let mut asked = ticket.asked.parts();
        (asked.uri, asked.extensions) = (head.uri, head.extensions);
        self.go(route, bared(asked), ticket.session, last_seen).await
    }

    /// Goes on with a session, or begins one.
    async fn go(
        &self,
        route: &Route,
        head: Parts,
        entry: Option<Arc<Entry>>,
        last_seen: Option<u64>,
    ) -> Response<HttpBody> {
        match (route.handshake(head), entry) {
            (Ok(request), Some(entry)) => self.go_on(entry, request, last_seen).await,
            (Ok(request), None) => self.begin(request).await,
            (Err(answer), _) => answer,
        }
    }

    /// Opens a client and its first stream.
    async fn begin(&self, request: Request<()>) -> Response<HttpBody> {
        let connect = self.connect.wait().await;
        let admission = match connect.handshake(request).await {
            Ok(admission) => admission.envelope(Arc::clone(&self.envelope)).framing(wire::frame),
            Err(refusal) => return refused(refusal),
        };
        let Ok(secret) = Secret::generate() else { return bare(StatusCode::INTERNAL_SERVER_ERROR) };
        let resumable = Resumable::new(self.resume.clone());
        let Ok(carrier) = resumable.attach(0) else { return bare(StatusCode::INTERNAL_SERVER_ERROR) };
        let entry = Arc::new(Entry::new(admission.handshake(), secret, resumable));
        let headers = admission.response_headers().clone();
        let client = SseClient { entry: Arc::clone(&entry), sessions: Arc::clone(&self.sessions) };
        let life = admission.open(client);
        connect.spawn(async move {
            life.await;
        });
        self.stream(carrier, entry, false, &headers)
    }

    /// Goes on with a session on a new stream, or says why that cannot be.
    async fn go_on(
        &self,
        entry: Arc<Entry>,
        request: Request<()>,
        last_seen: Option<u64>,
    ) -> Response<HttpBody> {
        let connect = self.connect.wait().await;
        let rechecked = match connect.recheck(request).await {
            Ok(rechecked) => rechecked,
            Err(refusal) => return refused(refusal),
        };
        if !entry.is_of(rechecked.handshake()) {
            return text(StatusCode::FORBIDDEN, "The session is somebody else's");
        }
        match entry.resumable.attach(last_seen.unwrap_or_default()) {
            Ok(carrier) => {
                if let Some(client) = entry.resumable.client() {
                    rechecked.renew(client);
                }
                self.stream(carrier, entry, true, rechecked.response_headers())
            }
            Err(error) => text(
                StatusCode::GONE,
                match error {
                    AttachError::Lost => "What you have missed is not kept any more",
                    AttachError::Ahead => "You have not been sent so much",
                    _ => "The session has ended",
                },
            ),
        }
    }

    fn stream(
        &self,
        carrier: Carrier,
        entry: Arc<Entry>,
        resumed: bool,
        wanted: &HeaderMap,
    ) -> Response<HttpBody> {
        let Self { settings, .. } = self;
        let events = Events::new(carrier, entry, resumed, settings.ping_interval, settings.grace);
        let mut response = Response::new(boxed(events));
        let headers = response.headers_mut();
        // What layers of the handshake want, but for what describes their own body.
        let own = [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING];
        for (name, value) in wanted.iter().filter(|(name, _)| !own.contains(name)) {
            headers.append(name, value.clone());
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store, no-transform"),
            (http::HeaderName::from_static("x-accel-buffering"), "no"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The number of the last frame that the peer has read, where it has read any.
pub(crate) fn last_seen(head: &Parts) -> Result<Option<u64>, Response<HttpBody>> {
    let named = match head.headers.get(LAST_EVENT_ID) {
        Some(value) => value.to_str().map(Some),
        None => Ok(query(head, LAST_EVENT_ID_QUERY)),
    };
    match named {
        Ok(None | Some("")) => Ok(None),
        Ok(Some(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse().map(Some).map_err(|_| no_number())
        }
        _ => Err(no_number()),
    }
}

fn no_number() -> Response<HttpBody> {
    text(StatusCode::BAD_REQUEST, "Last-Event-ID is no number")
}

/// A request as its gateway sees it: without the door's own credentials, which open a session.
pub(crate) fn bared(mut head: Parts) -> Parts {
    head.method = Method::GET;
    for name in [SESSION, crate::claim::SEQ, LAST_EVENT_ID, header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    let own = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        name != TICKET && name != LAST_EVENT_ID_QUERY
    };
    if let Some(query) = head.uri.query() {
        let kept: Vec<&str> = query.split('&').filter(own).collect();
        let path = head.uri.path();
        let bared = match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", kept.join("&")),
        };
        // Pieces of a URI that was valid make a valid URI.
        head.uri = bared.parse().unwrap_or_default();
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_gateway_does_not_see_what_opens_a_session() {
        let head =
            bared(head("/a?ticket=x&name=Ada&lastEventId=3", &[("x-narthex-session", "a.b"), ("x", "y")]));
        assert_eq!((head.method, head.uri.to_string()), (Method::GET, "/a?name=Ada".to_owned()));
        assert_eq!(head.headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn the_number_is_in_the_header_or_else_in_the_query() {
        let number = |uri, headers: &[_]| last_seen(&head(uri, headers)).map_err(|answer| answer.status());
        assert_eq!(number("/", &[]), Ok(None));
        assert_eq!(number("/?lastEventId=7", &[]), Ok(Some(7)));
        assert_eq!(number("/?lastEventId=7", &[("last-event-id", "9")]), Ok(Some(9)));
        assert_eq!(number("/", &[("last-event-id", "")]), Ok(None));
        for bad in ["x", "-1", "+1", "1.0", "99999999999999999999999"] {
            assert_eq!(number("/", &[("last-event-id", bad)]), Err(StatusCode::BAD_REQUEST), "{bad}");
        }
    }
}
