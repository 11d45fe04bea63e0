//! Namespaces that are none, too many, or another peer's.

use narthex_core::{Client, Error, Gateway, Limits};
use narthex_socketio::SocketIo;

use crate::{house::House, peer::Peer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connects_to_nowhere_leaves_nothing_behind() {
    let house = House::with(Gateway::new()).await;
    let mut peer = Peer::connect(house.addr, "").await;
    for n in 0..2000 {
        peer.send(&format!("40/r{n},")).await;
        peer.expect(&format!("44/r{n},{{\"message\":\"Invalid namespace\"}}")).await;
    }
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
    assert_eq!((house.server.stats().clients, house.hub().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connects_to_a_pattern_is_bounded_by_the_clients_of_the_server() {
    let gateways = vec![Gateway::new(), Gateway::new().namespace("/game/{id}")];
    let house = House::open(SocketIo::new(), Limits::default().clients(50), gateways).await;
    let mut peer = Peer::connect(house.addr, "").await;
    let mut let_in = 1;
    for n in 0..200 {
        peer.send(&format!("40/game/{n},")).await;
        let_in += usize::from(peer.next().await.unwrap().starts_with("40"));
    }
    assert_eq!((let_in, house.server.stats().clients), (50, 50));
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_peer_cannot_speak_in_a_namespace_of_another() {
    async fn whoami(client: Client) -> Result<String, Error> {
        Ok(client.id().to_string())
    }
    let more = Gateway::new().namespace("/more").on("whoami", whoami);
    let house = House::open(SocketIo::new(), Limits::default(), vec![Gateway::new(), more]).await;
    let _victim = Peer::connect(house.addr, "/more").await;
    let mut peer = Peer::connect(house.addr, "").await;
    // It never entered that namespace.
    peer.send("42/more,1[\"whoami\"]").await;
    assert_eq!(peer.next().await, None);
    assert_eq!(house.server.hub("/more").unwrap().len(), 1);
}
