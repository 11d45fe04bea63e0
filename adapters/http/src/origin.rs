//! One web origin (RFC 6454), parsed strictly.

use std::fmt;

/// The scheme, host and port of an origin, normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    scheme: String,
    authority: Authority,
}

/// A host in lower case with its port, `None` where it is unknown and the scheme has no default.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Authority {
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Reads `scheme://host[:port]`. Anything else (a path, credentials, a wildcard, `null`) is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let alphabetic = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !alphabetic || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let authority = Authority::parse(authority, default_port(&scheme))?;
        Some(Self { scheme, authority })
    }

    /// Whether a `Host` header names the same host and port. The scheme is the origin's: behind a proxy that speaks
    /// TLS the server does not know it.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        let web = matches!(self.scheme.as_str(), "http" | "https");
        web && Authority::parse(host, default_port(&self.scheme)).is_some_and(|at| at == self.authority)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority.host)?;
        match self.authority.port {
            Some(port) if Some(port) != default_port(&self.scheme) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

impl Authority {
    fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']')?;
                inner.parse::<std::net::Ipv6Addr>().ok()?;
                let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
                (&text[..inner.len() + 2], port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if host.is_empty() || !(host.starts_with('[') || host.bytes().all(plain)) {
            return None;
        }
        let port = match port {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
            None => default_port,
        };
        Some(Self { host: host.to_ascii_lowercase(), port })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "a.example",
            "//a.example",
            "https://",
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?x",
            "https://a.example#x",
            "https://user@a.example",
            "https://user:secret@a.example",
            "https://*.a.example",
            "https://a.example:",
            "https://a.example:+80",
            "https://a.example:65536",
            "https://a.example:80:80",
            "https://a.example b.example",
            "https://a.example, https://b.example",
            "https://[::1",
            "https://[::1]x",
            "https://[not]",
            "https://é.example",
            " https://a.example",
            "1https://a.example",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn case_and_default_ports_do_not_matter() {
        assert_eq!(Origin::parse("HTTPS://A.example:443"), Origin::parse("https://a.EXAMPLE"));
        assert_ne!(Origin::parse("https://a.example:80"), Origin::parse("https://a.example"));
        assert_ne!(Origin::parse("http://a.example"), Origin::parse("https://a.example"));
        assert_ne!(Origin::parse("https://a.example."), Origin::parse("https://a.example"));
        assert_eq!(Origin::parse("http://[::1]:80").unwrap().to_string(), "http://[::1]");
        assert_eq!(Origin::parse("tauri://localhost").unwrap().to_string(), "tauri://localhost");
    }
}
