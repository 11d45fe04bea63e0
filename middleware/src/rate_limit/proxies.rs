//! Which proxies are believed.

use std::net::IpAddr;

use http::HeaderMap;
use narthex_core::{Error, ErrorKind, Result};

use super::forwarded::{forwarded, x_forwarded_for};

/// The proxies that are believed when they say whom a request is from. Nobody is, until they are named.
///
/// Of the hops that the header names, the last one that is no trusted proxy is the client: what it says of others is its
/// own invention. One header is read, `X-Forwarded-For` unless [`forwarded`](Self::forwarded) says otherwise: a proxy
/// passes on what it does not know, so the other one may be the client's.
///
/// ```
/// use narthex_middleware::rate_limit::TrustedProxies;
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "2001:db8::7"])?;
/// # Ok::<(), narthex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "proxies are trusted where a layer is told so"]
pub struct TrustedProxies {
    prefixes: Vec<Prefix>,
    by_rfc: bool,
}

impl TrustedProxies {
    /// These addresses, and those of these prefixes (`10.0.0.0/8`), are proxies that write `X-Forwarded-For`.
    ///
    /// # Errors
    /// `Config` where one is neither.
    pub fn new<I>(prefixes: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let prefixes = prefixes.into_iter().map(|prefix| {
            let prefix = prefix.as_ref();
            let why = || format!("{prefix:?} is neither an address nor a prefix like 10.0.0.0/8");
            Prefix::parse(prefix).ok_or_else(|| Error::new(ErrorKind::Config, why()))
        });
        Ok(Self { prefixes: prefixes.collect::<Result<_>>()?, by_rfc: false })
    }

    /// The proxies write `Forwarded` (RFC 7239), and `X-Forwarded-For` is not read.
    pub fn forwarded(mut self) -> Self {
        self.by_rfc = true;
        self
    }

    /// Whether an address is one of them.
    pub fn trusts(&self, addr: IpAddr) -> bool {
        self.prefixes.iter().any(|prefix| prefix.has(addr))
    }

    /// The client's own address, where `peer` is who has connected.
    ///
    /// Where a proxy does not say it, or in no form that can be read, it is the last proxy's: clients of whom nobody knows
    /// anything are counted together.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut hops: Box<dyn Iterator<Item = Option<IpAddr>>> = match self.by_rfc {
            true => Box::new(forwarded(headers)),
            false => Box::new(x_forwarded_for(headers)),
        };
        while self.trusts(client)
            && let Some(Some(before)) = hops.next()
        {
            client = before.to_canonical();
        }
        client
    }
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug)]
struct Prefix {
    addr: IpAddr,
    len: u32,
}

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        let (addr, len) = match text.split_once('/') {
            Some((addr, len)) => (addr, Some(len.parse().ok()?)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().ok()?;
        let len = len.unwrap_or_else(|| bits(addr).1);
        let shortened = addr.to_canonical();
        // Peers are compared in the short form too.
        let len = len.checked_sub(bits(addr).1 - bits(shortened).1)?;
        (len <= bits(shortened).1).then_some(Self { addr: shortened, len })
    }

    fn has(self, addr: IpAddr) -> bool {
        let ((own, size), (other, other_size)) = (bits(self.addr), bits(addr.to_canonical()));
        // All bits but the first ones are shifted out; of none, all.
        size == other_size && (own ^ other).checked_shr(size - self.len).unwrap_or(0) == 0
    }
}

/// An address as a number, and how many bits it has.
fn bits(addr: IpAddr) -> (u128, u32) {
    match addr {
        IpAddr::V4(addr) => (u128::from(addr.to_bits()), 32),
        IpAddr::V6(addr) => (addr.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests;
