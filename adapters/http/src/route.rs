//! From the path of a URL to the path of a namespace.

use http::{Request, Response, StatusCode, Uri, request::Parts};
use narthex_core::{Error, ErrorKind, Options, Result};

use crate::{
    body::{HttpBody, text},
    origins::ServerOrigins,
};

/// One place of the listener, and the namespace behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The pattern on the listener.
    path: String,
    /// The namespace's path, with the parameters of `path` in it.
    namespace: String,
}

impl Route {
    /// The routes of an adapter: those that its user named, as pairs of a path and a namespace; else each namespace at its
    /// own path.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn all(named: &[(String, String)], options: &Options) -> Result<Vec<Self>> {
        if named.is_empty() {
            return options.namespaces().iter().map(|path| Self::new(path, path)).collect();
        }
        named.iter().map(|(path, namespace)| Self::new(path, namespace)).collect()
    }

    /// Both may be patterns; a parameter of the namespace stands as a whole segment in the path.
    ///
    /// # Errors
    /// Kind `Config`: one of them is no path of a URI (RFC 3986 section 3.3), or the namespace has a parameter that is no
    /// whole segment of the path.
    pub fn new(path: &str, namespace: &str) -> Result<Self> {
        if let Some(bad) = [path, namespace].into_iter().find(|path| !is_path(path)) {
            let context =
                format!("{bad:?} cannot be the path of a URL: write it with its escapes, as in \"/a%20b\"");
            return Err(Error::new(ErrorKind::Config, context));
        }
        let is_parameter = |segment: &&str| segment.starts_with('{') && segment.ends_with('}');
        let missing =
            namespace.split('/').filter(is_parameter).find(|wanted| !path.split('/').any(|s| s == *wanted));
        match missing {
            Some(parameter) => {
                let context =
                    format!("the path {path:?} has no segment {parameter} for the namespace {namespace:?}");
                Err(Error::new(ErrorKind::Config, context))
            }
            None => Ok(Self { path: path.to_owned(), namespace: namespace.to_owned() }),
        }
    }

    /// The pattern on the listener.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A request of this route as the core judges it: the namespace's path with the real query, and everything that
    /// layers of the listener put in.
    ///
    /// # Errors
    /// 414, the answer to give: with the namespace's path in the place of its own the request's URI is too long.
    pub fn handshake(&self, mut head: Parts) -> Result<Request<()>, Response<HttpBody>> {
        head.extensions.remove::<ServerOrigins>();
        let mut path = self.namespace(head.uri.path());
        if let Some(query) = head.uri.query() {
            path.push('?');
            path.push_str(query);
        }
        let too_long = |_| text(StatusCode::URI_TOO_LONG, "The URI is too long");
        // Pieces of valid URIs make a valid URI, but for its length.
        head.uri = Uri::try_from(path).map_err(too_long)?;
        Ok(Request::from_parts(head, ()))
    }

    /// The namespace's path for a request's path that this route's pattern matches.
    pub fn namespace(&self, path: &str) -> String {
        if self.path == self.namespace {
            return path.to_owned();
        }
        let segments: Vec<&str> =
            self.namespace.split('/').map(|segment| self.value(segment, path)).collect();
        segments.join("/")
    }

    /// What the request's path has where the pattern has `segment`, or the segment itself.
    fn value<'a>(&'a self, segment: &'a str, path: &'a str) -> &'a str {
        if !segment.starts_with('{') {
            return segment;
        }
        let Some(at) = self.path.split('/').position(|other| other == segment) else { return segment };
        if segment.starts_with("{*") {
            // It takes everything that is left.
            return path.splitn(at + 1, '/').nth(at).unwrap_or_default();
        }
        path.split('/').nth(at).unwrap_or_default()
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && Uri::try_from(path).is_ok_and(|uri| uri.path() == path && uri.query().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(path: &str, namespace: &str, request: &str) -> String {
        Route::new(path, namespace).unwrap().namespace(request)
    }

    #[test]
    fn parameters_keep_their_values() {
        assert_eq!(resolve("/ws", "/", "/ws"), "/");
        assert_eq!(resolve("/chat", "/chat", "/chat"), "/chat");
        assert_eq!(resolve("/game/{id}", "/game/{id}", "/game/7"), "/game/7");
        assert_eq!(resolve("/ws/{id}/{name}", "/x/{name}/y/{id}", "/ws/7/a%20b"), "/x/a%20b/y/7");
        assert_eq!(resolve("/ws/{*rest}", "/files/{*rest}", "/ws/a/b/c"), "/files/a/b/c");
    }

    #[test]
    fn a_parameter_that_the_path_does_not_have_is_an_error() {
        assert_eq!(Route::new("/ws", "/game/{id}").unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(Route::new("/ws-{id}", "/game/{id}").unwrap_err().kind(), ErrorKind::Config);
    }

    fn leads_to(namespace: &str, uri: &str) -> Result<String, http::StatusCode> {
        let head = Request::get(uri).body(()).unwrap().into_parts().0;
        let request = Route::new("/ws", namespace).unwrap().handshake(head);
        request.map(|request| request.uri().to_string()).map_err(|answer| answer.status())
    }

    #[test]
    fn a_handshake_is_for_its_namespace_or_for_none() {
        assert_eq!(leads_to("/chat", "/ws?a=b"), Ok("/chat?a=b".to_owned()));
        assert_eq!(leads_to("/größe", "/ws"), Ok("/größe".to_owned()));
        let long = format!("/ws?{}", "a".repeat(65_500));
        assert_eq!(leads_to(&format!("/{}", "b".repeat(200)), &long), Err(http::StatusCode::URI_TOO_LONG));
    }

    #[test]
    fn what_no_request_can_have_as_its_path_is_an_error() {
        for path in ["/a b", "/a?b", "/a#b", "a", ""] {
            assert_eq!(Route::new("/ws", path).unwrap_err().kind(), ErrorKind::Config, "{path:?}");
            assert_eq!(Route::new(path, "/").unwrap_err().kind(), ErrorKind::Config, "{path:?}");
        }
    }
}
