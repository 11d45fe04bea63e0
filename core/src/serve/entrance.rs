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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gateway::{Compiler, Gateway, Global},
        room::Common,
    };

    fn at(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    /// The patterns at each entrance, for gateways of these paths and ports; none is the server's.
    fn opened(main: Option<u16>, also: &[u16], gateways: &[(&str, &[u16])]) -> Vec<Vec<String>> {
        let gateway = |(path, ports): &(&str, &[u16])| {
            ports.iter().fold(Gateway::new().namespace(*path), |gateway, port| gateway.listen(at(*port)))
        };
        let compiler = Compiler::new(Global::default(), Common::default());
        let namespaces = compiler.compile(gateways.iter().map(gateway).collect()).unwrap();
        let also: Vec<_> = also.iter().copied().map(at).collect();
        let patterns = |entrance: Entrance| {
            entrance.namespaces.iter().map(|namespace| namespace.pattern.as_ref().to_owned()).collect()
        };
        entrances(main.map(at), &also, &namespaces).into_iter().map(patterns).collect()
    }

    #[test]
    fn an_address_of_its_own_is_instead_of_the_servers_unless_it_names_that_too() {
        assert_eq!(opened(Some(1), &[], &[("/a", &[]), ("/b", &[2])]), [["/a"], ["/b"]]);
        assert_eq!(opened(Some(1), &[], &[("/a", &[1, 2])]), [["/a"], ["/a"]]);
        assert_eq!(opened(None, &[], &[("/a", &[2])]), [vec![], vec!["/a"]]);
    }

    #[test]
    fn further_addresses_have_what_the_server_has_and_who_names_them() {
        let gateways: &[(&str, &[u16])] = &[("/a", &[]), ("/b", &[2])];
        assert_eq!(opened(Some(1), &[2, 3, 3, 1], gateways), [vec!["/a"], vec!["/a", "/b"], vec!["/a"]]);
    }

    #[test]
    fn a_free_port_is_never_the_servers() {
        assert_eq!(opened(Some(0), &[0], &[("/a", &[0]), ("/b", &[0])]), [vec![], vec![], vec!["/a", "/b"]]);
    }
}
