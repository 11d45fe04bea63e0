//! The hops that proxies write down, the last one first. `None` is a hop that is hidden or cannot be read: nothing
//! beyond it can be believed.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue, header};

/// The hops of `X-Forwarded-For`.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + '_ {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    lines.flat_map(|line| {
        let hops = text(line).rsplit(',').map(str::trim).filter(|hop| !hop.is_empty());
        hops.map(node).collect::<Vec<_>>()
    })
}

/// The hops of `Forwarded` (RFC 7239 section 4).
pub(super) fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + '_ {
    let lines = headers.get_all(header::FORWARDED).iter().rev();
    lines.flat_map(|line| elements(text(line)).unwrap_or_else(|| vec![None]))
}

/// What is no ASCII is no hop either, and is not taken for one.
fn text(line: &HeaderValue) -> &str {
    line.to_str().unwrap_or("unknown")
}

/// The hops of one line; `None` where any of it is malformed: a client may have begun a quotation that swallows what the
/// proxies added.
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let elements = split(line, ',')?.into_iter().rev().map(str::trim).filter(|element| !element.is_empty());
    elements.map(element).collect()
}

/// One element: its pairs, of which `for` is the hop. A pair may be empty.
fn element(text: &str) -> Option<Option<IpAddr>> {
    let mut hop = None;
    for pair in split(text, ';')?.into_iter().map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = unquoted(value)?;
        if name.eq_ignore_ascii_case("for") && hop.replace(node(value)).is_some() {
            return None;
        }
    }
    Some(hop.flatten())
}

/// The parts between separators that stand in no quotation; `None` where a quotation does not end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.push(&text[begin..at]);
                begin = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

/// A token, or what stands in a quotation that is the whole value. No address has an escape in it.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        None => (!value.contains('"')).then_some(value),
        Some(rest) => {
            let inside = rest.strip_suffix('"')?;
            let plain = inside.replace("\\\\", "").replace("\\\"", "");
            (!plain.contains('"')).then_some(inside)
        }
    }
}

/// An address, which may have a port (RFC 7239 section 6).
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (addr, port) = rest.split_once(']')?;
        return (port.is_empty() || port.starts_with(':')).then(|| addr.parse().ok())?;
    }
    let with_port = || text.split_once(':').and_then(|(addr, _)| addr.parse::<Ipv4Addr>().ok());
    text.parse().ok().or_else(|| with_port().map(IpAddr::from))
}
