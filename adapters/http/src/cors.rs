//! What pages of other origins may do with a door's answers.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::{
    body::{HttpBody, empty},
    origins::Origins,
};

/// What pages of another origin may do with a door's answers (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>).
#[derive(Clone, Copy, Debug)]
pub struct Cors {
    /// The methods of the door, as in `"GET, POST"`.
    pub methods: &'static str,
    /// Headers that its requests may have.
    pub headers: &'static str,
    /// Headers of its answers that a page may read.
    pub exposed: &'static str,
}

/// How long a browser may keep the answer to a preflight, in seconds.
const PREFLIGHT_AGE: &str = "600";

impl Origins {
    /// Lets the page that sent the request read the answer: the origin is echoed where the rule lets it in. With
    /// [`Origins::any`] it is `*`, and cookies are not asked for.
    pub fn share(&self, request: &HeaderMap, cors: &Cors, response: &mut HeaderMap) {
        response.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(header::ORIGIN).filter(|_| self.check(request).is_ok()) else {
            return;
        };
        if self.is_any() {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if !cors.exposed.is_empty() {
            let exposed = HeaderValue::from_static(cors.exposed);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// Answers the question whether a page may send a request (`OPTIONS` with `Access-Control-Request-Method`): 204 with
    /// what the door takes, or 403.
    pub fn preflight(&self, request: &HeaderMap, cors: &Cors) -> Response<HttpBody> {
        let mut response = match self.check(request) {
            Ok(()) => Response::new(empty()),
            Err(refused) => refused.response(),
        };
        let allowed = response.status().is_success();
        let headers = response.headers_mut();
        self.share(request, &Cors { exposed: "", ..*cors }, headers);
        if allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(cors.methods));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(cors.headers));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE));
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        response
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

    const CORS: Cors = Cors { methods: "GET, POST", headers: "x-a, x-b", exposed: "retry-after" };

    fn shared(origins: &Origins, request: &[(&str, &str)]) -> HeaderMap {
        let mut response = HeaderMap::new();
        origins.share(&headers(request), &CORS, &mut response);
        response
    }

    #[test]
    fn a_page_that_may_come_in_may_read_the_answers_and_another_may_not() {
        let origins = Origins::list(["https://a.example"]).unwrap();
        let allowed = shared(&origins, &[("origin", "https://a.example")]);
        assert_eq!(allowed["access-control-allow-origin"], "https://a.example");
        assert_eq!(allowed["access-control-allow-credentials"], "true");
        assert_eq!(allowed["access-control-expose-headers"], "retry-after");
        for request in [&[("origin", "https://b.example")][..], &[("origin", "null")], &[]] {
            let refused = shared(&origins, request);
            assert_eq!(refused["vary"], "Origin");
            assert!(!refused.contains_key("access-control-allow-origin"), "{request:?}");
        }
    }

    #[test]
    fn where_every_page_may_come_none_brings_cookies() {
        let headers = shared(&Origins::any(), &[("origin", "null")]);
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn a_preflight_says_what_the_door_takes_to_pages_that_may_come_in_alone() {
        let origins = Origins::list(["https://a.example"]).unwrap();
        let yes = origins.preflight(&headers(&[("origin", "https://a.example")]), &CORS);
        assert_eq!(yes.status(), StatusCode::NO_CONTENT);
        assert_eq!(yes.headers()["access-control-allow-methods"], "GET, POST");
        assert_eq!(yes.headers()["access-control-allow-headers"], "x-a, x-b");
        assert_eq!(yes.headers()["access-control-max-age"], "600");
        let no = origins.preflight(&headers(&[("origin", "https://b.example")]), &CORS);
        assert_eq!(no.status(), StatusCode::FORBIDDEN);
        assert!(!no.headers().contains_key("access-control-allow-methods"));
    }
}
