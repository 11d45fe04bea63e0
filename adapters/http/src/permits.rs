//! How many connections are open, in all and per address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// What the listener counted since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpStats {
    /// Connections open now, upgraded ones included.
    pub open: usize,
    /// Connections closed at once because a bound was reached.
    pub refused: u64,
    /// Failures of `accept`, each followed by a pause.
    pub accept_errors: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Permits {
    open: AtomicUsize,
    refused: AtomicU64,
    accept_errors: AtomicU64,
    per_ip: Mutex<HashMap<IpAddr, usize>>,
}

impl Permits {
    /// A place for one more connection, or `None`, which is counted.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        ip: IpAddr,
        max: usize,
        max_per_ip: Option<usize>,
    ) -> Option<ConnectionPermit> {
        let permit = self.try_acquire(ip, max, max_per_ip);
        if permit.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        permit
    }

    fn try_acquire(
        self: &Arc<Self>,
        ip: IpAddr,
        max: usize,
        max_per_ip: Option<usize>,
    ) -> Option<ConnectionPermit> {
        if self.open.load(Ordering::Relaxed) >= max {
            return None;
        }
        let counted = max_per_ip.map(|_| subscriber(ip));
        if let (Some(key), Some(max)) = (counted, max_per_ip) {
            let mut table = self.table();
            let count = table.get(&key).copied().unwrap_or_default();
            if count >= max {
                return None;
            }
            table.insert(key, count + 1);
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionPermit { permits: Arc::clone(self), counted })
    }

    /// A place that no bound holds for, but that counts as open.
    pub(crate) fn unbounded(self: &Arc<Self>) -> ConnectionPermit {
        self.open.fetch_add(1, Ordering::Relaxed);
        ConnectionPermit { permits: Arc::clone(self), counted: None }
    }

    pub(crate) fn count_accept_error(&self) {
        self.accept_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> HttpStats {
        HttpStats {
            open: self.open.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            accept_errors: self.accept_errors.load(Ordering::Relaxed),
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.per_ip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place under the bounds; it is given back on drop. It goes along with an upgraded connection.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<Permits>,
    counted: Option<IpAddr>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.permits.open.fetch_sub(1, Ordering::Relaxed);
        let Some(key) = self.counted else { return };
        let mut table = self.permits.table();
        match table.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(table.remove(&key)),
        }
    }
}

/// Whom an address belongs to: an IPv4 address, or the /64 that an IPv6 subscriber usually has to himself.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_permit_makes_room_and_leaves_no_entry() {
        let permits = Arc::new(Permits::default());
        let ip: IpAddr = [10, 0, 0, 1].into();
        let one = permits.acquire(ip, 2, Some(1)).unwrap();
        assert!(permits.acquire(ip, 2, Some(1)).is_none());
        let other = permits.acquire([10, 0, 0, 2].into(), 2, Some(1)).unwrap();
        assert!(permits.acquire([10, 0, 0, 3].into(), 2, Some(1)).is_none());
        assert_eq!(permits.stats(), HttpStats { open: 2, refused: 2, accept_errors: 0 });
        drop((one, other));
        assert!(permits.table().is_empty());
        assert_eq!(permits.stats().open, 0);
    }

    #[test]
    fn an_ipv6_subscriber_counts_once_and_a_mapped_ipv4_is_itself() {
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let b: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(subscriber(a), subscriber(b));
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(subscriber(mapped), IpAddr::from([10, 0, 0, 1]));
    }
}
