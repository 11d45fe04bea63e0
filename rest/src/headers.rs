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

/// What the handshake says for the client's whole life: who it is, and where it comes from.
const FIXED: [HeaderName; 7] = [
    header::COOKIE,
    header::HOST,
    header::ORIGIN,
    header::AUTHORIZATION,
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-narthex-session"),
];

fn is_of_one_hop(name: &HeaderName) -> bool {
    OF_ONE_HOP.contains(name) || name.as_str().starts_with("sec-websocket-")
}

fn is_fixed(name: &HeaderName) -> bool {
    FIXED.contains(name) || name.as_str().starts_with("x-forwarded-") || name.as_str().starts_with("sec-")
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
        if is_of_one_hop(&name) || named.contains(&name) || name == header::CONTENT_TYPE {
            headers.remove(&name);
        }
    }
    headers
}

/// Puts the message's headers over what was inherited. Those that the handshake has fixed stay, unless they are `allowed`.
///
/// # Errors
/// One is no header.
pub(crate) fn add(
    headers: &mut HeaderMap,
    given: &Map<String, Value>,
    allowed: &[HeaderName],
) -> Result<(), ()> {
    for (name, value) in given {
        let name: HeaderName = name.parse().map_err(drop)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => continue,
            _ => return Err(()),
        };
        let value = HeaderValue::from_str(&text).map_err(drop)?;
        if !is_of_one_hop(&name) && (!is_fixed(&name) || allowed.contains(&name)) {
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// The response's headers as an object, with names as in `Content-Type`.
pub(crate) fn written(headers: &HeaderMap) -> Map<String, Value> {
    let mut object = Map::new();
    for name in headers.keys().filter(|name| !is_of_one_hop(name)) {
        let text = |value: &HeaderValue| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut values: Vec<Value> = headers.get_all(name).iter().map(text).collect();
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        object.insert(capitalised(name.as_str()), value);
    }
    object
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
    fn what_is_of_the_upgrades_connection_is_not_inherited() {
        let handshake = map(&[
            ("cookie", "a=b"),
            ("connection", "Upgrade, x-hop"),
            ("x-hop", "1"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "k"),
            ("user-agent", "test"),
        ]);
        assert_eq!(names(&inherited(handshake)), ["cookie", "user-agent"]);
    }

    #[test]
    fn a_message_cannot_say_that_it_is_somebody_else() {
        let mut headers = map(&[("cookie", "own=1"), ("host", "own")]);
        let given = json!({
            "Cookie": "spoof=1", "HOST": "spoof", "origin": "http://spoof", "authorization": "Bearer spoof",
            "x-forwarded-for": "1.1.1.1", "sec-fetch-site": "same-origin", "content-length": 7, "x-h": 1, "x-n": null,
        });
        add(&mut headers, given.as_object().unwrap(), &[]).unwrap();
        assert_eq!(names(&headers), ["cookie", "host", "x-h"]);
        assert_eq!(
            (&headers["cookie"], &headers["host"]),
            (&"own=1".parse().unwrap(), &"own".parse().unwrap())
        );
        add(&mut headers, given.as_object().unwrap(), &[header::AUTHORIZATION]).unwrap();
        assert_eq!(headers["authorization"], "Bearer spoof");
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bad in [json!({"a b": "1"}), json!({"a": "x\r\ny: z"}), json!({"a": ["1"]}), json!({"": "1"})] {
            assert!(add(&mut HeaderMap::new(), bad.as_object().unwrap(), &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_responses_headers_have_their_usual_names() {
        let mut headers = map(&[("content-type", "text/plain"), ("x-a", "b"), ("content-length", "3")]);
        headers.append("set-cookie", "a=1".parse().unwrap());
        headers.append("set-cookie", "b=2".parse().unwrap());
        let expected = json!({"Content-Type": "text/plain", "X-A": "b", "Set-Cookie": ["a=1", "b=2"]});
        assert_eq!(Value::Object(written(&headers)), expected);
    }
}
