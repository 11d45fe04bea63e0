//! Which web pages may come in.

use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};
use narthex_core::{Error, ErrorKind, Result};

use crate::{
    body::{HttpBody, text},
    origin::Origin,
};

/// The rule for the `Origin` header (RFC 6454 section 7). Each door checks it, since a browser lets any page open a
/// WebSocket or send a form to any server, with the user's cookies.
///
/// * Comparison is exact: scheme, host and port. There are no wildcards and no suffixes.
/// * A request without `Origin` passes: it is no page's (a native app, another server). Browsers always send one with
///   a WebSocket handshake and with a POST. A same-origin `GET` of a browser has none either.
/// * `Origin: null` (a sandboxed frame, a file), an `Origin` that is malformed and several of them are refused, unless
///   the rule is [`Origins::any`].
#[derive(Clone, Debug, Default)]
pub struct Origins {
    rule: Rule,
}

#[derive(Clone, Debug, Default)]
enum Rule {
    /// Nobody has said anything: the server's rule, else that of `Same`.
    #[default]
    Unsaid,
    Same,
    List(Vec<Origin>),
    Any,
}

impl Origins {
    /// Pages of the host that the request names in `Host`. What holds where nobody says anything; said here, it holds
    /// beside the rule of an [`OriginLayer`](crate::OriginLayer), and both must let a page in.
    ///
    /// A proxy in front has to keep `Host` as the browser sent it. A server that is only meant for its own machine or
    /// network should list its origins instead: a page can make its own name resolve to that server's address.
    pub fn same_origin() -> Self {
        Self { rule: Rule::Same }
    }

    /// Pages of these origins, as in `https://a.example` or `http://localhost:5173`, and of no others.
    ///
    /// # Errors
    ///
    /// Kind `Config`: an entry is not `scheme://host[:port]`. A trailing slash or a wildcard is an error too;
    /// international names are written in their ASCII form (`xn--…`).
    pub fn list<I>(origins: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let parse = |entry: I::Item| {
            let entry = entry.as_ref();
            let context = || format!("{entry:?} is not an origin (scheme://host[:port])");
            Origin::parse(entry).ok_or_else(|| Error::new(ErrorKind::Config, context()))
        };
        let list = origins.into_iter().map(parse).collect::<Result<_>>()?;
        Ok(Self { rule: Rule::List(list) })
    }

    /// Every page, as long as the request has no cookie: with one, any page could act for the user.
    pub fn any() -> Self {
        Self { rule: Rule::Any }
    }

    pub(crate) fn is_any(&self) -> bool {
        matches!(self.rule, Rule::Any)
    }

    /// The rule that holds for a request, by its extensions: this one, or where it is the default, that of the server's
    /// [`OriginLayer`](crate::OriginLayer). A door asks it in the place of its own.
    pub fn for_request<'a>(&'a self, extensions: &'a Extensions) -> &'a Self {
        self.or(extensions.get())
    }

    /// This rule, or where it is the default, the server's.
    pub(crate) fn or<'a>(&'a self, server: Option<&'a ServerOrigins>) -> &'a Self {
        match (&self.rule, server) {
            (Rule::Unsaid, Some(server)) => &server.0,
            _ => self,
        }
    }

    /// Decides by a request's headers.
    ///
    /// # Errors
    ///
    /// Says why the request is refused; [`OriginRefused::response`] is the answer to give.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), OriginRefused> {
        if matches!(self.rule, Rule::Any) {
            let cookies = headers.contains_key(header::COOKIE);
            return if cookies { Err(OriginRefused::Cookies) } else { Ok(()) };
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = only(headers, header::ORIGIN).and_then(Origin::parse).ok_or(OriginRefused::Malformed)?;
        let allowed = match &self.rule {
            Rule::Unsaid | Rule::Same => only(headers, header::HOST).is_some_and(|host| origin.is_at(host)),
            Rule::List(list) => list.contains(&origin),
            Rule::Any => true,
        };
        if allowed { Ok(()) } else { Err(OriginRefused::Foreign) }
    }
}

/// On a request that an [`OriginLayer`](crate::OriginLayer) has let through: its rule, for doors that have none.
#[derive(Clone, Debug)]
pub(crate) struct ServerOrigins(pub(crate) Arc<Origins>);

/// The value of a header that is there once.
fn only(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// Why a request was refused by [`Origins::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginRefused {
    /// The origin is not one of those that may come in.
    #[error("the origin is not allowed")]
    Foreign,
    /// `Origin` is `null`, malformed, or there more than once.
    #[error("the Origin header names no origin")]
    Malformed,
    /// Every origin may come in, so cookies may not.
    #[error("cookies are refused where every origin is allowed")]
    Cookies,
}

impl OriginRefused {
    /// 403, with the reason in one line; and as an extension, which no layer's headers are put on.
    pub fn response(self) -> Response<HttpBody> {
        let line = match self {
            Self::Foreign => "The origin is not allowed",
            Self::Malformed => "The Origin header names no origin",
            Self::Cookies => "Cookies are refused where every origin is allowed",
        };
        let mut response = text(StatusCode::FORBIDDEN, line);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn same(origin: &str, host: &str) -> Result<(), OriginRefused> {
        Origins::same_origin().check(&headers(&[("origin", origin), ("host", host)]))
    }

    #[test]
    fn the_same_host_and_port_is_the_same_origin() {
        for (origin, host) in [
            ("http://good.example", "good.example"),
            ("https://good.example", "good.example"),
            ("https://good.example", "GOOD.example:443"),
            ("http://good.example:80", "good.example"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert_eq!(same(origin, host), Ok(()), "{origin} at {host}");
        }
    }

    #[test]
    fn another_host_or_port_is_foreign() {
        for (origin, host) in [
            ("http://good.example.evil.example", "good.example"),
            ("http://evilgood.example", "good.example"),
            ("http://good.example:3001", "good.example:3000"),
            ("http://good.example", "good.example:3000"),
            ("https://good.example", "good.example:80"),
            ("ftp://good.example", "good.example"),
            ("http://good.example", "good.example, evil.example"),
            ("http://good.example", ""),
        ] {
            assert_eq!(same(origin, host), Err(OriginRefused::Foreign), "{origin} at {host}");
        }
        let no_host = headers(&[("origin", "http://good.example")]);
        assert_eq!(Origins::same_origin().check(&no_host), Err(OriginRefused::Foreign));
        let two = headers(&[("origin", "http://a.example"), ("host", "b.example"), ("host", "a.example")]);
        assert_eq!(Origins::same_origin().check(&two), Err(OriginRefused::Foreign));
    }

    #[test]
    fn tricks_with_the_header_are_malformed() {
        for origin in [
            "null",
            "",
            "http://good.example/",
            "http://u@good.example",
            "http://good.example http://x.example",
        ] {
            assert_eq!(same(origin, "good.example"), Err(OriginRefused::Malformed), "{origin}");
        }
        let several = [("host", "a.example"), ("origin", "http://a.example"), ("origin", "http://a.example")];
        assert_eq!(Origins::same_origin().check(&headers(&several)), Err(OriginRefused::Malformed));
    }

    #[test]
    fn a_list_is_exact() {
        let origins = Origins::list(["https://A.example", "http://localhost:5173"]).unwrap();
        let check = |origin| origins.check(&headers(&[("origin", origin), ("host", "server.example")]));
        assert_eq!(check("https://a.example:443"), Ok(()));
        assert_eq!(check("http://localhost:5173"), Ok(()));
        for origin in
            ["http://a.example", "https://b.a.example", "http://localhost", "https://server.example"]
        {
            assert_eq!(check(origin), Err(OriginRefused::Foreign), "{origin}");
        }
        assert_eq!(check("null"), Err(OriginRefused::Malformed));
        assert_eq!(origins.check(&HeaderMap::new()), Ok(()));
    }

    #[test]
    fn a_list_with_an_entry_that_is_no_origin_is_an_error() {
        for entry in ["*", "https://*.a.example", "https://a.example/", "null", "a.example"] {
            let error = Origins::list([entry]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(entry));
        }
    }

    #[test]
    fn the_servers_rule_is_for_those_who_have_none() {
        let mut extensions = Extensions::new();
        let page = headers(&[("origin", "https://a.example"), ("host", "server.example")]);
        let decide = |own: &Origins, extensions: &Extensions| own.for_request(extensions).check(&page);
        assert_eq!(decide(&Origins::default(), &extensions), Err(OriginRefused::Foreign));
        extensions.insert(ServerOrigins(Arc::new(Origins::list(["https://a.example"]).unwrap())));
        assert_eq!(decide(&Origins::default(), &extensions), Ok(()));
        assert_eq!(decide(&Origins::same_origin(), &extensions), Err(OriginRefused::Foreign));
    }

    #[test]
    fn any_origin_passes_without_cookies_only() {
        let any = Origins::any();
        assert_eq!(any.check(&headers(&[("origin", "null")])), Ok(()));
        assert_eq!(
            any.check(&headers(&[("origin", "http://x"), ("cookie", "a=b")])),
            Err(OriginRefused::Cookies)
        );
        assert_eq!(OriginRefused::Cookies.response().status(), StatusCode::FORBIDDEN);
    }
}
