//! Queries without credentials.

use std::fmt;

/// A parameter with one of these in its name carries a credential, or may.
const PARTS: [&str; 11] =
    ["token", "ticket", "auth", "pass", "pwd", "secret", "session", "jwt", "credential", "signature", "key"];

/// So does one that is called exactly so.
const NAMES: [&str; 3] = ["sid", "sig", "code"];

const REDACTED: &str = "[redacted]";

/// Which parameters of a query carry credentials.
#[derive(Clone, Debug, Default)]
pub(super) struct Redact {
    /// In lower case.
    further: Vec<String>,
}

impl Redact {
    pub(super) fn add(&mut self, name: &str) {
        self.further.push(name.to_lowercase());
    }

    pub(super) fn query<'a>(&'a self, query: &'a str) -> Redacted<'a> {
        Redacted { redact: self, query }
    }

    fn hides(&self, name: &str) -> bool {
        let name = decoded(name).to_lowercase();
        PARTS.iter().any(|part| name.contains(part))
            || NAMES.contains(&name.as_str())
            || self.further.contains(&name)
    }
}

/// A query as it may be logged.
pub(super) struct Redacted<'a> {
    redact: &'a Redact,
    query: &'a str,
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some parsers take `;` for `&`.
        for (at, pair) in self.query.split(['&', ';']).enumerate() {
            if at > 0 {
                f.write_str("&")?;
            }
            match pair.split_once('=') {
                Some((name, _)) if self.redact.hides(name) => write!(f, "{name}={REDACTED}")?,
                Some((name, value)) => write!(f, "{name}={value}")?,
                None if pair.is_empty() => {}
                // A whole token may stand there.
                None => f.write_str(REDACTED)?,
            }
        }
        Ok(())
    }
}

/// A name as parsers of forms read it: `+` is a space, and octets may be written in hex.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(octet)) => {
                bytes.push(octet);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Redact;

    #[test]
    fn values_of_credentials_are_taken_out_however_their_names_are_written() {
        let mut redact = Redact::default();
        redact.add("Room-Pin");
        for (query, shown) in [
            ("", ""),
            ("a=1&b=x%20y", "a=1&b=x%20y"),
            ("token=s", "token=[redacted]"),
            ("a=1&access_token=s&b=2", "a=1&access_token=[redacted]&b=2"),
            ("TICKET=s;Password=s", "TICKET=[redacted]&Password=[redacted]"),
            ("%74oken=s", "%74oken=[redacted]"),
            ("auth_token=s=s", "auth_token=[redacted]"),
            ("sessionId=s&sid=s&side=left", "sessionId=[redacted]&sid=[redacted]&side=left"),
            ("client_secret=s&api_key=s", "client_secret=[redacted]&api_key=[redacted]"),
            ("room-pin=s&room%2Dpin=s", "room-pin=[redacted]&room%2Dpin=[redacted]"),
            ("eyJhbGciOi", "[redacted]"),
            ("a=1&&", "a=1&&"),
            ("%zz=1&%=2&%4=3", "%zz=1&%=2&%4=3"),
        ] {
            assert_eq!(redact.query(query).to_string(), shown);
        }
    }
}
