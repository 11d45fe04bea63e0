//! Headers: of the handshake, of the message, of the response.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

/// What belongs to one connection (RFC 9110 section 7.6.1), or describes another body.
const OF_ONE_HOP: [HeaderName; 12] = [
    header::CONNECTION,
    header::UPGRADE,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// What says of the handshake's own request which answer it wants, and how. `Accept-Language` is about the user, and stays.
const OF_THE_HANDSHAKE: [HeaderName; 5] = [
    header::ACCEPT,
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::RANGE,
    HeaderName::from_static("last-event-id"),
];

/// What a message never says, whether or not the handshake has: who its client is, and where it comes from.
const FIXED: [HeaderName; 11] = [
    header::COOKIE,
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::AUTHORIZATION,
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("remote-user"),
];

/// The same, for what proxies put in.
const FIXED_FAMILIES: [&str; 5] = ["x-forwarded-", "x-original-", "x-remote-", "cf-", "sec-"];

/// What a message may say otherwise than the handshake.
const NEGOTIABLE: [HeaderName; 1] = [header::ACCEPT_LANGUAGE];

fn is_of_one_hop(name: &HeaderName) -> bool {
    OF_ONE_HOP.contains(name)
}

/// What no request has: an answer is text, so nothing may be compressed, and a session's secret is the door's alone.
fn is_of_the_door(name: &HeaderName) -> bool {
    is_of_one_hop(name)
        || *name == header::ACCEPT_ENCODING
        || name.as_str().starts_with("sec-websocket-")
        || name.as_str().starts_with("x-narthex-")
}

fn is_of_the_handshake(name: &HeaderName) -> bool {
    let family = |prefix| name.as_str().starts_with(prefix);
    OF_THE_HANDSHAKE.contains(name) || family("content-") || family("if-")
}

fn is_fixed(name: &HeaderName) -> bool {
    FIXED.contains(name) || FIXED_FAMILIES.iter().any(|family| name.as_str().starts_with(family))
}

/// What a request inherits.
pub(crate) fn inherited(mut headers: HeaderMap) -> HeaderMap {
    // What the handshake's `Connection` names is of that hop too.
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let names: Vec<HeaderName> = headers.keys().cloned().collect();
    for name in names {
        if is_of_the_door(&name) || is_of_the_handshake(&name) || named.contains(&name) {
            headers.remove(&name);
        }
    }
    headers
}

/// What the user says of headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) allowed: Vec<HeaderName>,
    pub(crate) fixed: Vec<HeaderName>,
}

/// Puts the message's headers beside what was inherited, which stays as it is unless it is allowed to change.
///
/// # Errors
/// One is no header.
pub(crate) fn add(headers: &mut HeaderMap, given: &Map<String, Value>, rules: &Rules) -> Result<(), ()> {
    let mut own = HeaderMap::new();
    for (name, value) in given {
        let name: HeaderName = name.parse().map_err(drop)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => continue,
            _ => return Err(()),
        };
        let mut value = HeaderValue::from_str(&text).map_err(drop)?;
        value.set_sensitive(is_fixed(&name));
        let is_inherited = headers.contains_key(&name) && !NEGOTIABLE.contains(&name);
        let is_taken = is_fixed(&name) || is_inherited || rules.fixed.contains(&name);
        if !is_of_the_door(&name) && (!is_taken || rules.allowed.contains(&name)) {
            own.insert(name, value);
        }
    }
    // Each name is there once, so it replaces all values that were inherited.
    headers.extend(own);
    Ok(())
}

/// The response's headers as an object, with names as in `Content-Type`.
pub(crate) fn written(headers: &HeaderMap) -> Map<String, Value> {
    let mut object = Map::new();
    for name in headers.keys().filter(|name| !is_of_one_hop(name)) {
        let text = |value: &HeaderValue| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned());
        let values = headers.get_all(name).iter().filter(|value| !is_hidden(name, value));
        let mut values: Vec<Value> = values.map(text).collect();
        let value = match values.len() {
            0 => continue,
            1 => values.remove(0),
            _ => Value::Array(values),
        };
        object.insert(capitalised(name.as_str()), value);
    }
    object
}

/// A cookie that a page's script must not read (RFC 6265 section 5.2.6): an answer is read by nobody else.
fn is_hidden(name: &HeaderName, value: &HeaderValue) -> bool {
    let mut attributes = value.as_bytes().split(|byte| *byte == b';').skip(1);
    *name == header::SET_COOKIE
        && attributes.any(|attribute| attribute.trim_ascii().eq_ignore_ascii_case(b"httponly"))
}

fn capitalised(name: &str) -> String {
    let word = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_is_of_the_handshakes_connection_or_of_its_own_answer_is_not_inherited() {
        let handshake = map(&[
            ("cookie", "a=b"),
            ("connection", "Upgrade, x-hop"),
            ("x-hop", "1"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "k"),
            ("user-agent", "test"),
            ("accept", "text/event-stream"),
            ("accept-encoding", "gzip"),
            ("accept-language", "de"),
            ("if-none-match", "*"),
            ("last-event-id", "7"),
            ("x-narthex-session", "id.secret"),
        ]);
        assert_eq!(names(&inherited(handshake)), ["accept-language", "cookie", "user-agent"]);
    }

    #[test]
    fn a_message_cannot_say_that_it_is_somebody_else() {
        let mut headers =
            map(&[("cookie", "own=1"), ("host", "own"), ("x-team", "own"), ("accept-language", "de")]);
        let given = json!({
            "Cookie": "spoof=1", "HOST": "spoof", "origin": "http://spoof", "authorization": "Bearer spoof",
            "x-forwarded-for": "1.1.1.1", "sec-fetch-site": "same-origin", "cf-connecting-ip": "1.1.1.1",
            "content-length": 7, "accept-encoding": "gzip", "X-Team": "spoof", "x-narthex-session": "id.secret",
            "x-h": 1, "X-H": 2, "x-n": null, "accept": "text/html", "accept-language": "fr",
        });
        add(&mut headers, given.as_object().unwrap(), &Rules::default()).unwrap();
        assert_eq!(names(&headers), ["accept", "accept-language", "cookie", "host", "x-h", "x-team"]);
        let values =
            ["cookie", "host", "x-team", "accept-language"].map(|name| headers[name].to_str().unwrap());
        assert_eq!(values, ["own=1", "own", "own", "fr"]);
        let rules = Rules { allowed: vec![header::AUTHORIZATION, header::COOKIE], fixed: Vec::new() };
        add(&mut headers, given.as_object().unwrap(), &rules).unwrap();
        assert_eq!(
            (&headers["authorization"], &headers["host"]),
            (&"Bearer spoof".parse().unwrap(), &"own".parse().unwrap())
        );
        assert_eq!(headers.get_all("cookie").iter().collect::<Vec<_>>(), ["spoof=1"]);
        let rules = Rules { allowed: Vec::new(), fixed: vec![HeaderName::from_static("x-h")] };
        let mut headers = HeaderMap::new();
        add(&mut headers, given.as_object().unwrap(), &rules).unwrap();
        assert_eq!(names(&headers), ["accept", "accept-language", "x-team"]);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bad in [json!({"a b": "1"}), json!({"a": "x\r\ny: z"}), json!({"a": ["1"]}), json!({"": "1"})] {
            assert!(
                add(&mut HeaderMap::new(), bad.as_object().unwrap(), &Rules::default()).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_responses_headers_have_their_usual_names() {
        let mut headers = map(&[("content-type", "text/plain"), ("x-a", "b"), ("content-length", "3")]);
        headers.append("set-cookie", "a=1".parse().unwrap());
        headers.append("set-cookie", "b=2; Path=/".parse().unwrap());
        let expected =
            json!({"Content-Type": "text/plain", "X-A": "b", "Set-Cookie": ["a=1", "b=2; Path=/"]});
        assert_eq!(Value::Object(written(&headers)), expected);
    }

    #[test]
    fn a_cookie_that_no_script_may_read_is_not_in_an_answer() {
        let mut headers = map(&[("set-cookie", "sid=s3cret; Path=/; HTTPONLY ; Secure")]);
        assert_eq!(Value::Object(written(&headers)), json!({}));
        headers.append("set-cookie", "theme=httponly".parse().unwrap());
        assert_eq!(Value::Object(written(&headers)), json!({"Set-Cookie": "theme=httponly"}));
    }
}
