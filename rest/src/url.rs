//! The URL of a message.

use std::collections::BTreeMap;

use http::Uri;

/// A path and a query, as a service sees them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) path: String,
    pub(crate) query: Option<String>,
}

impl Target {
    /// A URL with a host, or a path that begins with `/`. `None` for what is neither.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        // A fragment is the client's own matter (RFC 9110 section 4.2.5).
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let uri: Uri = url.parse().ok()?;
        if uri.authority().is_none() && !url.starts_with('/') {
            return None;
        }
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        Some(Self { path: without_dots(path), query: uri.query().map(str::to_owned) })
    }

    /// Takes a prefix off, where it is there, once.
    pub(crate) fn strip(&mut self, prefix: &str) {
        if let Some(rest) = self.path.strip_prefix(prefix)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            self.path = if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
        }
    }

    /// Takes slashes off the end.
    pub(crate) fn trim(&mut self) {
        let kept = self.path.trim_end_matches('/').len().max(1);
        self.path.truncate(kept);
    }

    /// Puts the query of the handshake before its own; of several values of one name the last one stays.
    pub(crate) fn behind(&mut self, handshake: &str) {
        let pairs =
            |query: &str| serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap_or_default();
        let own = self.query.as_deref().unwrap_or_default();
        let merged: BTreeMap<_, _> = pairs(handshake).into_iter().chain(pairs(own)).collect();
        let merged: Vec<_> = merged.into_iter().collect();
        self.query = serde_urlencoded::to_string(&merged).ok().filter(|query| !query.is_empty());
    }

    pub(crate) fn uri(&self) -> Option<Uri> {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path).parse().ok(),
            None => self.path.parse().ok(),
        }
    }
}

/// RFC 3986 section 5.2.4; a dot that is written `%2e` is one too.
fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            _ => segments.push(part),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> Option<String> {
        Target::parse(url).map(|target| target.path)
    }

    #[test]
    fn a_url_has_a_host_or_begins_with_a_slash() {
        assert_eq!(path("/example?id=1").as_deref(), Some("/example"));
        assert_eq!(path("http://evil.example/example?id=1").as_deref(), Some("/example"));
        assert_eq!(path("https://evil.example").as_deref(), Some("/"));
        assert_eq!(path("/a#b").as_deref(), Some("/a"));
        for bad in ["http://[bad", "example?id=1", "", "/a b", "/a\r\nx: y", "//", "http://"] {
            assert_eq!(path(bad).filter(|path| path != "//"), None, "{bad:?}");
        }
    }

    #[test]
    fn dot_segments_never_lead_out() {
        for (url, expected) in [
            ("/a/../b", "/b"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e", "/"),
            ("/a/./b/.", "/a/b/"),
            ("/a/..", "/"),
            ("/a/...", "/a/..."),
            ("/a//b", "/a//b"),
        ] {
            assert_eq!(path(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn slashes_at_the_end_and_a_prefix_are_taken_off() {
        let many = "/".repeat(5000);
        for (given, expected) in [("/", "/"), ("/foo/", "/foo"), ("/foo////", "/foo"), (many.as_str(), "/")] {
            let mut target = Target { path: given.to_owned(), query: None };
            target.trim();
            assert_eq!(target.path, expected);
        }
        for (given, expected) in
            [("/api/x", "/x"), ("/api", "/"), ("/apiary", "/apiary"), ("/api/api/x", "/api/x")]
        {
            let mut target = Target { path: given.to_owned(), query: None };
            target.strip("/api");
            assert_eq!(target.path, expected);
        }
    }

    #[test]
    fn the_urls_query_wins_and_of_several_values_the_last() {
        let mut target = Target::parse("/echo?a=1&a=2&b=%20x&channel=over").unwrap();
        target.behind("channel=web&EIO=4");
        assert_eq!(target.query.as_deref(), Some("EIO=4&a=2&b=+x&channel=over"));
    }
}
