//! Peers that do not read.

use std::time::Duration;

use narthex_core::{Client, Error, Gateway, Limits, State};
use narthex_socketio::SocketIo;

use crate::{
    house::{House, Probe, left, soon, until},
    peer::{Peer, Poller},
};

async fn joins(client: Client) -> Result<(), Error> {
    client.join("all")
}

fn gateway() -> Gateway {
    Gateway::new().on_connect(joins).on_disconnect(left)
}

/// More than the buffers of any socket.
const FLOOD: usize = 24 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_stops_reading_is_released_within_the_write_deadline() {
    let door =
        SocketIo::new().write_deadline(Duration::from_millis(300)).ping_interval(Duration::from_secs(60));
    let limits = Limits::default().outbox(4096, 2 * FLOOD);
    let mut house = House::open(door, limits, vec![gateway()]).await;
    let mut other = Peer::connect(house.addr, "").await;
    let _stuck = Peer::connect(house.addr, "").await;
    until(|| house.hub().to("all").clients().len() == 2).await;
    let text = "x".repeat(32 * 1024);
    for _ in 0..FLOOD / text.len() {
        house.hub().to("all").emit("n", &text).unwrap();
        assert_eq!(other.next().await.map(|packet| packet.len()), Some(text.len() + 10));
    }
    assert_eq!(house.noted().await, "WriteTimeout");
    assert_eq!((house.hub().len(), house.hub().to("all").clients().len()), (1, 1));
    other.send("421[\"hello\"]").await;
    other.expect("431[\"hello\"]").await;
    assert_eq!(house.end().await, ["Draining"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_on_polling_that_never_polls_is_released_by_the_ping() {
    let door =
        SocketIo::new().ping_interval(Duration::from_millis(200)).ping_timeout(Duration::from_millis(200));
    let mut house = House::open(door, Limits::default(), vec![gateway()]).await;
    let poller = Poller::connect(house.addr).await;
    assert_eq!(house.noted().await, "IdleTimeout");
    assert!(house.hub().is_empty());
    assert_eq!(poller.post("42[\"hello\"]").await, 400);
    assert_eq!(house.end().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_on_polling_that_never_polls_is_released_by_the_bound_of_its_buffer() {
    let door = SocketIo::new().buffer(32).ping_interval(Duration::from_secs(60));
    let mut house = House::open(door, Limits::default(), vec![gateway()]).await;
    let poller = Poller::connect(house.addr).await;
    until(|| house.hub().len() == 1).await;
    for n in 0..100 {
        house.hub().to("all").emit("n", &n).unwrap();
    }
    assert_eq!(house.noted().await, "Overflow");
    assert!(house.hub().is_empty());
    until(|| house.server.stats().clients == 0).await;
    assert_ne!(poller.post("42[\"hello\"]").await, 200);
    assert_eq!(house.end().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_to_peers_that_read_loses_nothing() {
    const PEERS: usize = 200;
    const BURST: usize = 300;
    let limits = Limits::default().outbox(BURST, 1024 * 1024);
    let house = House::open(SocketIo::new(), limits, vec![gateway()]).await;
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..PEERS {
        let mut peer = Peer::connect(house.addr, "").await;
        reading.spawn(async move {
            for n in 0..BURST {
                peer.expect(&format!("42[\"n\",{n}]")).await;
            }
            peer
        });
    }
    until(|| house.hub().to("all").clients().len() == PEERS).await;
    for n in 0..BURST {
        assert_eq!(house.hub().to("all").emit("n", &n).unwrap(), PEERS);
    }
    let peers = soon(reading.join_all()).await;
    assert_eq!((peers.len(), house.server.stats().overflowed, house.hub().len()), (PEERS, 0, PEERS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_floods_a_busy_handler_is_not_read_without_bound() {
    async fn gate(State(probe): State<Probe>) {
        probe.note("begins");
        probe.pass().await;
    }
    async fn sink() {}
    let mut house = House::with(gateway().on("gate", gate).on("sink", sink)).await;
    let mut peer = Peer::connect(house.addr, "").await;
    peer.send("42[\"gate\"]").await;
    assert_eq!(house.noted().await, "begins");
    let packet = format!("42[\"sink\",\"{}\"]", "x".repeat(32 * 1024));
    let flood = async {
        for _ in 0..FLOOD / packet.len() {
            peer.send(&packet).await;
        }
    };
    let mut flood = Box::pin(flood);
    // A bound: a door that reads on takes everything long before.
    assert!(tokio::time::timeout(Duration::from_secs(2), &mut flood).await.is_err());
    house.probe.gate.add_permits(1);
    soon(flood).await;
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
}
