//! POST on the path below: a ticket for clients that cannot set headers.

use http::{Response, StatusCode, header, request::Parts};
use narthex_http::{HttpBody, Route, text};

use crate::{
    answer::{bare, json, refused, too_many},
    claim::SESSION,
    door::Door,
    open::bared,
    tickets::Ticket,
};

/// What the path of tickets has behind that of the namespace.
pub(crate) const TICKETS: &str = "/ticket";

impl Door {
    /// Judges the credentials of the request, and gives a ticket that stands for them.
    pub(crate) async fn ticket(&self, route: &Route, mut head: Parts) -> Response<HttpBody> {
        let Some(uri) = above(&head) else { return bare(StatusCode::NOT_FOUND) };
        head.uri = uri;
        let session = match head.headers.contains_key(SESSION).then(|| self.find(route, &head)) {
            None => None,
            Some(Ok(entry)) => Some(entry),
            Some(Err(unknown)) => return unknown,
        };
        let request = match route.handshake(bared(head)) {
            Ok(request) => request,
            Err(answer) => return answer,
        };
        let connect = self.connect.wait().await;
        let rechecked = match connect.recheck(request).await {
            Ok(rechecked) => rechecked,
            Err(refusal) => return refused(refusal),
        };
        if session.as_ref().is_some_and(|entry| !entry.is_of(rechecked.handshake())) {
            return text(StatusCode::FORBIDDEN, "The session is somebody else's");
        }
        let cookies: Vec<_> =
            rechecked.response_headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        let mut answer = match self.tickets.issue(Ticket::new(rechecked.into_handshake(), session)) {
            Ok(Some(ticket)) => json(StatusCode::OK, format!(r#"{{"ticket":"{ticket}"}}"#)),
            Ok(None) => too_many(),
            Err(_) => bare(StatusCode::INTERNAL_SERVER_ERROR),
        };
        for cookie in cookies {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// The URI without the last segment.
fn above(head: &Parts) -> Option<http::Uri> {
    let path = head.uri.path().strip_suffix(TICKETS)?;
    let path = if path.is_empty() { "/" } else { path };
    match head.uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok(),
        None => path.parse().ok(),
    }
}
