//! Ends that the server decides on.

use std::time::Duration;

use narthex_core::{Client, Gateway, Limits, State};
use narthex_socketio::SocketIo;

use crate::{
    house::{House, Probe, left, soon, until},
    peer::{Peer, Poller},
};

fn gateway() -> Gateway {
    Gateway::new().on_disconnect(left)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_tells_everybody_ends_all_sessions_and_returns() {
    let house = House::open(
        SocketIo::new().close_timeout(Duration::from_millis(200)),
        Limits::default(),
        vec![gateway(), Gateway::new().namespace("/more").on_disconnect(left)],
    )
    .await;
    let mut peer = Peer::connect(house.addr, "").await;
    peer.enter("/more").await;
    let mut nobody = Peer::open(house.addr).await;
    let poller = Poller::connect(house.addr).await;
    let _silent = Poller::connect(house.addr).await;
    let poll = poller.begin_poll().await;
    // Connections are taken in their order: once a later one is answered, the poll waits.
    assert_eq!(Poller::open(house.addr).await.post("1").await, 200);
    until(|| house.hub().len() == 3).await;
    let told = async { (peer.rest().await, nobody.rest().await, poll.answer().await) };
    let (notes, (mut told, nothing, (status, polled))) = tokio::join!(house.end(), told);
    told.sort();
    assert_eq!(told, ["41", "41/more,"]);
    assert!(nothing.iter().all(|packet| packet == "1"), "{nothing:?}");
    assert_eq!((status, polled[0].as_str()), (200, "41"));
    assert_eq!(notes, ["Draining"; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_the_connection_of_a_client_whose_handler_hangs() {
    async fn hangs(State(probe): State<Probe>) {
        probe.note("hangs");
        std::future::pending().await
    }
    let limits = Limits::default().drain_timeout(Duration::from_millis(300));
    let mut house = House::open(SocketIo::new(), limits, vec![gateway().on("hangs", hangs)]).await;
    let mut peer = Peer::connect(house.addr, "").await;
    let poller = Poller::connect(house.addr).await;
    peer.send("42[\"hangs\"]").await;
    assert_eq!(poller.post("42[\"hangs\"]").await, 200);
    assert_eq!((house.noted().await, house.noted().await), ("hangs".to_owned(), "hangs".to_owned()));
    let poll = poller.begin_poll().await;
    assert_eq!(Poller::open(house.addr).await.post("1").await, 200);
    let House { server, .. } = house;
    let (drained, ..) = tokio::join!(soon(server.drain()), peer.rest(), poll.answer());
    assert!(drained.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_made_to_leave_keeps_its_other_namespaces() {
    async fn leave(client: Client) {
        client.disconnect(4000, "enough");
    }
    let gateways = vec![gateway().on("leave", leave), Gateway::new().namespace("/more").on_disconnect(left)];
    let mut house = House::open(SocketIo::new(), Limits::default(), gateways).await;
    let mut peer = Peer::connect(house.addr, "").await;
    peer.enter("/more").await;
    peer.send("42[\"leave\"]").await;
    peer.expect("41").await;
    assert_eq!(house.noted().await, "Disconnected { code: 4000, text: \"enough\" }");
    peer.send("42/more,1[\"hello\"]").await;
    peer.expect("43/more,1[\"hello\"]").await;
    // And it may come back.
    peer.enter("").await;
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_goodbye_keeps_its_other_namespaces() {
    let gateways = vec![gateway(), Gateway::new().namespace("/more").on_disconnect(left)];
    let mut house = House::open(SocketIo::new(), Limits::default(), gateways).await;
    let mut peer = Peer::connect(house.addr, "").await;
    peer.enter("/more").await;
    peer.send("41/more,").await;
    assert!(house.noted().await.starts_with("ClientClosed"));
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
    peer.enter("/more").await;
    assert_eq!(house.server.stats().clients, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_queued_is_polled_before_the_goodbye() {
    let mut house = House::with(gateway()).await;
    let poller = Poller::connect(house.addr).await;
    until(|| house.hub().len() == 1).await;
    let client = house.client();
    for n in 0..3 {
        client.emit("n", &n).unwrap();
    }
    client.disconnect(1000, "done");
    let (status, mut packets) = poller.poll().await;
    assert_eq!(status, 200);
    if packets.len() < 4 {
        packets.extend(poller.poll().await.1);
    }
    assert_eq!(packets[..4], ["42[\"n\",0]", "42[\"n\",1]", "42[\"n\",2]", "41"]);
    assert_eq!(house.noted().await, "Disconnected { code: 1000, text: \"done\" }");
}
