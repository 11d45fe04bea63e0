//! The address that a peer is counted by.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use http::{HeaderMap, HeaderName, header};
use narthex_core::{Error, ErrorKind, Result};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a peer is counted by: an IPv4 address, or an IPv6 network of 64 bits, which is what one subscriber has.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The proxies whose word is taken for where a request comes from.
///
/// Of a request that comes from one of them, `Forwarded` (RFC 7239) or `X-Forwarded-For` is read from its end: the last address that is
/// no such proxy is the peer's. Anybody can write anything before it. Of all other requests the headers mean nothing.
#[derive(Clone, Default)]
pub struct TrustedProxies(Arc<[(IpAddr, u8)]>);

impl TrustedProxies {
    /// Addresses (`10.0.0.7`, `::1`) and networks (`10.0.0.0/8`).
    ///
    /// # Errors
    /// Kind `Config` for what is neither.
    pub fn new<I>(proxies: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let parse = |entry: I::Item| {
            let entry = entry.as_ref();
            let unfit =
                || Error::new(ErrorKind::Config, format!("{entry:?} is neither an address nor a network"));
            let (address, bits) = entry.split_once('/').map_or((entry, None), |(a, bits)| (a, Some(bits)));
            let address: IpAddr = address.parse().map_err(|_| unfit())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), str::parse).map_err(|_| unfit())?;
            if bits > most { Err(unfit()) } else { Ok((address, bits)) }
        };
        Ok(Self(proxies.into_iter().map(parse).collect::<Result<_>>()?))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, bits)| match (network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(32 - u32::from(*bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(128 - u32::from(*bits)).unwrap_or(0) == 0
            }
            _ => false,
        })
    }

    /// The address of the peer behind the proxies.
    pub(super) fn peer(&self, from: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(from) {
            return from;
        }
        let named = headers.contains_key(header::FORWARDED);
        let name = if named { header::FORWARDED } else { X_FORWARDED_FOR };
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        let mut peer = from;
        for hop in values.iter().flat_map(|value| value.split(',')).rev() {
            // What cannot be read was written by nobody whom we trust.
            let Some(address) = (if named { forwarded_for(hop) } else { address(hop.trim()) }) else { break };
            peer = address;
            if !self.trusts(address) {
                break;
            }
        }
        peer
    }
}

/// The `for` of one element (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(node.trim_matches('"'))
}

/// An address, with a port or without (RFC 7239 section 6).
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    text.split_once(':').and_then(|(address, _)| address.parse().ok())
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(network, bits)| format!("{network}/{bits}"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(from: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "::1", "192.0.2.1"]).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        proxies.peer(from.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn a_header_is_believed_from_a_trusted_proxy_alone() {
        let spoofed = [("x-forwarded-for", "203.0.113.9")];
        assert_eq!(peer("198.51.100.1", &spoofed), "198.51.100.1");
        assert_eq!(peer("10.1.2.3", &spoofed), "203.0.113.9");
        assert_eq!(peer("::ffff:10.1.2.3", &spoofed), "203.0.113.9");
        assert_eq!(peer("::1", &spoofed), "203.0.113.9");
        assert_eq!(peer("192.0.2.2", &spoofed), "192.0.2.2");
        assert_eq!(peer("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_is_the_peer_whatever_it_wrote_before() {
        let spoofed = [("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")];
        assert_eq!(peer("10.0.0.1", &spoofed), "203.0.113.9");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(peer("10.0.0.1", &lines), "203.0.113.9");
        assert_eq!(peer("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")]), "10.0.0.1");
        assert_eq!(peer("10.0.0.1", &[("x-forwarded-for", "203.0.113.9:4711")]), "203.0.113.9");
        let forwarded = [("forwarded", r#"for=1.1.1.1, For="[2001:db8::7]:80";proto=https"#)];
        assert_eq!(peer("10.0.0.1", &forwarded), "2001:db8::7");
        let both = [("forwarded", "for=_hidden"), ("x-forwarded-for", "1.1.1.1")];
        assert_eq!(peer("10.0.0.1", &both), "10.0.0.1");
    }

    #[test]
    fn one_network_is_counted_once() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn what_is_no_network_is_refused_and_all_networks_may_be_trusted() {
        for bad in ["", "a", "10.0.0.0/33", "::/129", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert!(TrustedProxies::new([bad]).is_err(), "{bad:?}");
        }
        assert!(TrustedProxies::new(["0.0.0.0/0"]).unwrap().trusts([203, 0, 113, 9].into()));
    }
}
