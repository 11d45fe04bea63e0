//! What stands in the fields of a request.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Uri, header};
use percent_encoding::percent_decode_str;

use super::fault::Fault;

/// The values of a query's parameter, decoded (RFC 3986 section 2.1). Names are compared as they are.
pub(super) fn query<'a>(uri: &'a Uri, name: &str) -> impl Iterator<Item = Result<Cow<'a, str>, Fault>> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let of_name = pairs.filter_map(move |pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    });
    of_name.map(|value| percent_decode_str(value).decode_utf8().map_err(|_| Fault::Malformed))
}

/// The values of a cookie (RFC 6265 section 4.2.1); a client may send several of one name.
pub(super) fn cookies<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> impl Iterator<Item = Result<&'a str, Fault>> {
    let prefix = move |pair: &'a [u8]| {
        let rest = pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(std::str::from_utf8(rest).map_err(|_| Fault::Malformed))
    };
    let values = headers.get_all(header::COOKIE).into_iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';')).filter_map(prefix)
}

/// The items of a header that is a comma separated list and may come more than once (RFC 9110 section 5.6.1).
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Result<&str, Fault>> {
    let values = headers.get_all(name).into_iter();
    let items = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let items = items.map(<[u8]>::trim_ascii).filter(|item| !item.is_empty());
    items.map(|item| std::str::from_utf8(item).map_err(|_| Fault::Malformed))
}

/// Whether it may stand behind `Bearer` (RFC 6750 section 2.1, `b64token`).
pub(super) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}
