//! Which requests are this door's. Others of the same path are somebody else's: a page, a WebSocket.

use http::{HeaderMap, HeaderName, Method, header, request::Parts};

/// The session's token.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("x-narthex-session");
/// The number of the first message of a POST.
pub(crate) const SEQ: HeaderName = HeaderName::from_static("x-narthex-seq");
/// The number of the last frame that was read, which browsers send by themselves.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The same in a query, for a page that opens a new stream.
pub(crate) const LAST_EVENT_ID_QUERY: &str = "lastEventId";
/// A ticket in a query.
pub(crate) const TICKET: &str = "ticket";

/// A stream, what goes up, and the way out.
pub(crate) fn is_for_streams(head: &Parts) -> bool {
    match head.method {
        Method::GET => {
            lists(&head.headers, header::ACCEPT, "text/event-stream")
                || head.headers.contains_key(SESSION)
                || query(head, TICKET).is_some()
        }
        Method::POST | Method::DELETE => head.headers.contains_key(SESSION),
        Method::OPTIONS => match asked(&head.headers) {
            Some("GET") => true,
            Some("POST" | "DELETE") => {
                lists(&head.headers, header::ACCESS_CONTROL_REQUEST_HEADERS, SESSION.as_str())
            }
            _ => false,
        },
        _ => false,
    }
}

/// Requests for a ticket.
pub(crate) fn is_for_tickets(head: &Parts) -> bool {
    match head.method {
        Method::POST => true,
        Method::OPTIONS => asked(&head.headers) == Some("POST"),
        _ => false,
    }
}

/// The method that a page asks for beforehand.
fn asked(headers: &HeaderMap) -> Option<&str> {
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    headers.get(header::ORIGIN).and_then(|_| method.to_str().ok())
}

fn lists(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(|listed| listed.split(';').next())
        .any(|listed| listed.trim().eq_ignore_ascii_case(wanted))
}

/// The first value of that name in the query. What this door looks for is written without percents.
pub(crate) fn query<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    let pairs = head.uri.query().unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn streams_are_told_from_pages() {
        for (method, uri, headers, wanted) in [
            ("GET", "/", &[("accept", "text/event-stream")][..], true),
            ("GET", "/", &[("accept", "text/html, Text/Event-Stream;q=0.5")], true),
            ("GET", "/", &[("accept", "text/html,*/*")], false),
            ("GET", "/", &[], false),
            ("GET", "/?a=b&ticket=x", &[], true),
            ("GET", "/?a=ticket", &[], false),
            ("POST", "/", &[("content-type", "application/json")], false),
            ("POST", "/", &[("x-narthex-session", "x")], true),
            ("DELETE", "/", &[("x-narthex-session", "x")], true),
            ("PUT", "/", &[("x-narthex-session", "x")], false),
            ("OPTIONS", "/", &[("origin", "http://a")], false),
            ("OPTIONS", "/", &[("origin", "http://a"), ("access-control-request-method", "GET")], true),
            ("OPTIONS", "/", &[("origin", "http://a"), ("access-control-request-method", "POST")], false),
        ] {
            assert_eq!(is_for_streams(&head(method, uri, headers)), wanted, "{method} {uri} {headers:?}");
        }
        let preflight = [
            ("origin", "http://a"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type, X-Narthex-Session"),
        ];
        assert!(is_for_streams(&head("OPTIONS", "/", &preflight)));
    }
}
