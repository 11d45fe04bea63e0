//! A request that may be kept for as long as a session lives.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, request::Parts};

/// Copies a request's head out of the listener's read buffer, of which every header and the URI would hold on to all.
pub(super) fn compact(parts: &mut Parts) {
    if let Ok(uri) = Uri::try_from(parts.uri.to_string()) {
        parts.uri = uri;
    }
    let size = parts.headers.values().map(HeaderValue::len).sum();
    let mut values = Vec::with_capacity(size);
    parts.headers.values().for_each(|value| values.extend_from_slice(value.as_bytes()));
    let mut values = Bytes::from(values);
    let mut headers = HeaderMap::with_capacity(parts.headers.keys_len());
    for (name, value) in &parts.headers {
        let copy = values.split_to(value.len());
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        // Both were valid a moment ago.
        if let (Ok(name), Ok(mut copy)) = (name, HeaderValue::from_maybe_shared(copy)) {
            copy.set_sensitive(value.is_sensitive());
            headers.append(name, copy);
        }
    }
    parts.headers = headers;
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn the_head_is_the_same_in_memory_of_its_own() {
        let buffer = Bytes::from(b"first, second, /socket.io/?a=%20b".to_vec());
        let value = |range| HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.uri = Uri::from_maybe_shared(buffer.slice(15..)).unwrap();
        parts.headers.append("x-a", value(0..5));
        parts.headers.append("x-a", value(7..13));
        parts.headers.append("cookie", value(0..0));
        parts.headers.get_mut("cookie").unwrap().set_sensitive(true);
        let before = parts.clone();
        compact(&mut parts);
        assert_eq!((&parts.uri, &parts.headers), (&before.uri, &before.headers));
        assert!(parts.headers["cookie"].is_sensitive());
        drop(before);
        assert!(buffer.is_unique(), "something still holds on to the buffer");
    }
}
