//! Where a client comes from.

use std::net::IpAddr;

use http::{Extensions, HeaderMap};
use narthex_core::PeerAddr;

use super::TrustedProxies;

/// The client's own address, as an extension of the handshake's request: the peer's, or what trusted proxies say of it.
///
/// A [`RateLimitLayer`](super::RateLimitLayer) on the handshake puts it in where no layer outside of it has. Handlers take
/// it as `Extension<ClientAddr>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// What is said of a client's address; `None` where its door knows none.
pub(super) fn find(
    extensions: &Extensions,
    proxies: &TrustedProxies,
    headers: impl FnOnce() -> HeaderMap,
) -> Option<ClientAddr> {
    if let Some(known) = extensions.get::<ClientAddr>() {
        return Some(*known);
    }
    let peer = extensions.get::<PeerAddr>()?.0.ip();
    // Most servers stand behind no proxy, and copy no headers.
    let client = if proxies.trusts(peer) { proxies.client(peer, &headers()) } else { peer.to_canonical() };
    Some(ClientAddr(client))
}

/// What is counted as one address: of IPv6 the network (/64), all of which one client can have.
pub(super) fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V4(addr) => addr.into(),
        IpAddr::V6(addr) => std::net::Ipv6Addr::from_bits(addr.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(addr: &str) -> IpAddr {
        network(addr.parse().unwrap())
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_mapped_ipv4_is_ipv4() {
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
