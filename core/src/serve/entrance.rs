//! Which namespaces are open at which address.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    adapter::{Options, Shared},
    gateway::Namespace,
};

/// One address, and the namespaces whose doors open there.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) addr: Option<SocketAddr>,
    pub(crate) namespaces: Arc<[Arc<Namespace>]>,
    /// Whether it is the server's, and no gateway's own.
    pub(crate) is_main: bool,
}

/// The addresses that doors have bound, with the namespaces that are open there.
#[derive(Debug)]
pub(crate) struct Addresses(Vec<(SocketAddr, Arc<[Arc<Namespace>]>)>);

impl Addresses {
    pub(crate) fn new(places: &[Options]) -> Self {
        let bound = |place: &Options| Some((place.local_addr()?, Arc::clone(place.visible())));
        Self(places.iter().filter_map(bound).collect())
    }

    pub(crate) fn all(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(addr, _)| *addr).collect()
    }

    /// The first address at which a namespace is open, by a concrete path of it.
    pub(crate) fn of(&self, path: &str, shared: &Shared) -> Option<SocketAddr> {
        let (namespace, _) = shared.find(path)?;
        let is_there = |open: &[Arc<Namespace>]| open.iter().any(|here| Arc::ptr_eq(here, namespace));
        self.0.iter().find(|(_, open)| is_there(open)).map(|(addr, _)| *addr)
    }
}

/// The entrances of a server, the main one first: `main`, then `also`, then the gateways' own addresses.
pub(crate) fn entrances(
    main: Option<SocketAddr>,
    also: &[SocketAddr],
    namespaces: &[Arc<Namespace>],
) -> Vec<Entrance> {
    let open_at = |addr: Option<SocketAddr>| {
        let open = |namespace: &&Arc<Namespace>| {
            namespace.listen.is_empty() || addr.is_some_and(|addr| listens(namespace, addr))
        };
        namespaces.iter().filter(open).cloned().collect()
    };
    let mut entrances = vec![Entrance { addr: main, namespaces: open_at(main), is_main: true }];
    for addr in also {
        if !is_taken(&entrances, *addr) {
            let namespaces = open_at(Some(*addr));
            entrances.push(Entrance { addr: Some(*addr), namespaces, is_main: true });
        }
    }
    let mut own: Vec<SocketAddr> = Vec::new();
    for addr in namespaces.iter().flat_map(|namespace| &namespace.listen) {
        if !own.contains(addr) && !is_taken(&entrances, *addr) {
            own.push(*addr);
        }
    }
    entrances.extend(own.into_iter().map(|addr| {
        let here = |namespace: &&Arc<Namespace>| namespace.listen.contains(&addr);
        let namespaces = namespaces.iter().filter(here).cloned().collect();
        Entrance { addr: Some(addr), namespaces, is_main: false }
    }));
    entrances
}

fn listens(namespace: &Namespace, addr: SocketAddr) -> bool {
    // Port 0 is whichever is free, so it is no two entrances' at once.
    addr.port() != 0 && namespace.listen.contains(&addr)
}

fn is_taken(entrances: &[Entrance], addr: SocketAddr) -> bool {
    addr.port() != 0 && entrances.iter().any(|entrance| entrance.addr == Some(addr))
}
