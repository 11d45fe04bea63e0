//! What pages of other origins may do with answers.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{
    body::{HttpBody, empty},
    origins::Origins,
};

/// What pages of another origin may do with a door's answers (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>).
#[derive(Clone, Debug)]
pub struct Cors {
    /// The methods of the door, as in `GET, POST`.
    pub methods: HeaderValue,
    /// Headers that its requests may have.
    pub headers: HeaderValue,
    /// Headers of its answers that a page may read.
    pub exposed: Option<HeaderValue>,
}

/// How long a browser may keep the answer to a preflight, in seconds.
const PREFLIGHT_AGE: &str = "600";

impl Origins {
    /// Asks where a request comes from, for a door: by this rule, or where it is the default, by that of the server's
    /// [`OriginLayer`](crate::OriginLayer).
    ///
    /// # Errors
    ///
    /// The answer to give at once: 403 for a page that may not come in; for a preflight (`OPTIONS`, whether a page may send
    /// a request) 204 with what the door takes, or 403.
    pub fn admit<B>(&self, request: &mut Request<B>, cors: &Cors) -> Result<Sharing, Response<HttpBody>> {
        // Taken out: as long as a client lives, its handshake's extensions do.
        let server = request.extensions_mut().remove();
        let (rule, headers) = (self.or(server.as_ref()), request.headers());
        if request.method() == Method::OPTIONS {
            return Err(rule.preflight(headers, cors));
        }
        rule.check(headers).map_err(|refused| refused.response())?;
        Ok(rule.sharing(headers, cors.exposed.as_ref()))
    }

    /// What a page may read of the answer to a request that was let in.
    pub(crate) fn sharing(&self, request: &HeaderMap, exposed: Option<&HeaderValue>) -> Sharing {
        let any = self.is_any();
        let origin = request.get(header::ORIGIN);
        let reader = origin.map(|origin| if any { HeaderValue::from_static("*") } else { origin.clone() });
        let exposed = reader.as_ref().and(exposed).cloned();
        Sharing { reader, credentials: !any, exposed }
    }

    /// Answers the question whether a page may send a request: 204 with what is taken, or 403.
    pub(crate) fn preflight(&self, request: &HeaderMap, cors: &Cors) -> Response<HttpBody> {
        if let Err(refused) = self.check(request) {
            return refused.response();
        }
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.sharing(request, None).apply(headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, cors.methods.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, cors.headers.clone());
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE));
        response
    }
}

/// What the page that sent a request may read of its answer. It goes on every answer, refusals included.
#[derive(Debug)]
#[must_use = "a page cannot read an answer without it"]
pub struct Sharing {
    reader: Option<HeaderValue>,
    credentials: bool,
    exposed: Option<HeaderValue>,
}

impl Sharing {
    /// Sets the answer's headers: the origin is echoed where there is one. With [`Origins::any`] it is `*`, and cookies are
    /// not asked for.
    pub fn apply(self, headers: &mut HeaderMap) {
        vary_by_origin(headers);
        let Some(reader) = self.reader else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(exposed) = self.exposed {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// Tells caches that the answer is one origin's (RFC 9110 section 12.5.5).
pub(crate) fn vary_by_origin(headers: &mut HeaderMap) {
    let values = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    let mut fields = values.flat_map(|value| value.split(',')).map(str::trim);
    if !fields.any(|field| field == "*" || field.eq_ignore_ascii_case("origin")) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    static CORS: Cors = Cors {
        methods: HeaderValue::from_static("GET, POST"),
        headers: HeaderValue::from_static("x-a, x-b"),
        exposed: Some(HeaderValue::from_static("retry-after")),
    };

    /// The headers that go on the answer, or the answer.
    fn admit(
        origins: &Origins,
        method: Method,
        request: &[(&str, &str)],
    ) -> Result<HeaderMap, Response<HttpBody>> {
        let mut asked = Request::new(());
        (*asked.method_mut(), *asked.headers_mut()) = (method, headers(request));
        let mut answer = HeaderMap::new();
        origins.admit(&mut asked, &CORS)?.apply(&mut answer);
        Ok(answer)
    }

    #[test]
    fn a_page_that_may_come_in_may_read_the_answers_and_another_may_not() {
        let origins = Origins::list(["https://a.example"]).unwrap();
        let allowed = admit(&origins, Method::POST, &[("origin", "https://a.example")]).unwrap();
        assert_eq!(allowed["access-control-allow-origin"], "https://a.example");
        assert_eq!(allowed["access-control-allow-credentials"], "true");
        assert_eq!(allowed["access-control-expose-headers"], "retry-after");
        for origin in ["https://b.example", "null"] {
            let refused = admit(&origins, Method::POST, &[("origin", origin)]).unwrap_err();
            assert_eq!(
                (refused.status(), &refused.headers()["vary"]),
                (StatusCode::FORBIDDEN, &"Origin".parse().unwrap())
            );
            assert!(!refused.headers().contains_key("access-control-allow-origin"), "{origin}");
        }
        let nobodys = admit(&origins, Method::GET, &[]).unwrap();
        assert_eq!(nobodys, headers(&[("vary", "Origin")]));
    }

    #[test]
    fn where_every_page_may_come_none_brings_cookies() {
        let headers = admit(&Origins::any(), Method::GET, &[("origin", "null")]).unwrap();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn a_preflight_says_what_the_door_takes_to_pages_that_may_come_in_alone() {
        let origins = Origins::list(["https://a.example"]).unwrap();
        let yes = admit(&origins, Method::OPTIONS, &[("origin", "https://a.example")]).unwrap_err();
        assert_eq!(yes.status(), StatusCode::NO_CONTENT);
        assert_eq!(yes.headers()["access-control-allow-methods"], "GET, POST");
        assert_eq!(yes.headers()["access-control-allow-headers"], "x-a, x-b");
        assert_eq!(yes.headers()["access-control-max-age"], "600");
        let no = admit(&origins, Method::OPTIONS, &[("origin", "https://b.example")]).unwrap_err();
        assert_eq!(no.status(), StatusCode::FORBIDDEN);
        assert!(!no.headers().contains_key("access-control-allow-methods"));
    }

    #[test]
    fn caches_are_told_of_the_origin_once() {
        for (before, after) in [
            (&[][..], &["Origin"][..]),
            (&["accept"], &["accept", "Origin"]),
            (&["accept, ORIGIN"], &["accept, ORIGIN"]),
            (&["*"], &["*"]),
        ] {
            let pairs: Vec<_> = before.iter().map(|value| ("vary", *value)).collect();
            let mut answer = headers(&pairs);
            vary_by_origin(&mut answer);
            assert_eq!(answer.get_all("vary").iter().collect::<Vec<_>>(), after);
        }
    }
}
