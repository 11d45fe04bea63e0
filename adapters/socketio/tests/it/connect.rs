//! From CONNECT to the first event.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use narthex_core::{Client, Denied, Error, Gateway, HandshakeRoute, Json, Limits, Path, State};
use narthex_socketio::SocketIo;
use tokio::task::JoinSet;
use tower::{layer::layer_fn, service_fn};

use crate::{
    house::{House, Probe, left, soon, until},
    peer::{Peer, Poller},
};

async fn echo(Json(n): Json<u64>) -> u64 {
    n
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_event_of_five_hundred_clients_is_answered() {
    async fn slowly() {
        tokio::task::yield_now().await;
    }
    let house = House::with(Gateway::new().on("first", echo).on_connect(slowly)).await;
    let addr = house.addr;
    let mut clients = JoinSet::new();
    for n in 0..500 {
        clients.spawn(async move {
            let mut peer = Peer::connect(addr, "").await;
            peer.send(&format!("427[\"first\",{n}]")).await;
            peer.expect(&format!("437[{n}]")).await;
        });
        if clients.len() > 50 {
            clients.join_next().await.unwrap().unwrap();
        }
    }
    soon(clients.join_all()).await;
}

/// Official clients wait for the answer. One that does not is either served in order or told to go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_right_behind_connect_is_answered_or_ends_the_connection() {
    let house = House::with(Gateway::new().on("first", echo)).await;
    let mut answered = 0;
    for n in 0..100 {
        let mut peer = Peer::open(house.addr).await;
        peer.send_together(&["40", &format!("427[\"first\",{n}]")]).await;
        match peer.next().await {
            Some(connected) => assert!(connected.starts_with("40{"), "{connected}"),
            None => continue,
        }
        let Some(answer) = peer.next().await else { continue };
        assert_eq!(answer, format!("437[{n}]"));
        answered += 1;
    }
    println!("{answered} of 100 were answered");
    let mut other = Peer::connect(house.addr, "").await;
    other.send("421[\"hello\"]").await;
    other.expect("431[\"hello\"]").await;
    until(|| house.server.stats().clients == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_on_connect_emits_and_joins_comes_behind_the_answer_in_order() {
    async fn slowly(State(probe): State<Probe>, client: Client) -> Result<(), Error> {
        client.emit("a", &1)?;
        client.join("room")?;
        probe.note("joined");
        probe.pass().await;
        client.emit("b", &2)
    }
    let mut house = House::with(Gateway::new().on_connect(slowly)).await;
    let mut peer = Peer::open(house.addr).await;
    peer.send("40").await;
    assert_eq!(house.noted().await, "joined");
    assert_eq!(house.hub().to("room").emit("early", &0).unwrap(), 0);
    house.probe.gate.add_permits(1);
    assert!(peer.next().await.unwrap().starts_with("40{"));
    peer.expect("42[\"a\",1]").await;
    peer.expect("42[\"b\",2]").await;
    assert_eq!(house.hub().to("room").emit("late", &3).unwrap(), 1);
    peer.expect("42[\"late\",3]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_reads_why_and_never_counts() {
    async fn guard() -> Result<(), Denied> {
        Err(Denied::unauthorized("Not by the guard"))
    }
    async fn hook() -> Result<(), Denied> {
        Err(Denied::forbidden("Not by the hook"))
    }
    async fn broken() -> Result<(), std::io::Error> {
        Err(std::io::Error::other("the password is swordfish"))
    }
    let teapot = layer_fn(|_: HandshakeRoute| {
        service_fn(|_: Request<Empty<Bytes>>| async {
            let mut answer = Response::new(Full::new(Bytes::from_static(b"Not by the layer")));
            *answer.status_mut() = http::StatusCode::IM_A_TEAPOT;
            Ok::<_, Infallible>(answer)
        })
    });
    let at = |path: &str| Gateway::new().namespace(path).on_disconnect(left);
    let gateways = vec![
        at("/"),
        at("/layer").handshake_layer(teapot),
        at("/guard").connect_guard(guard),
        at("/hook").on_connect(hook),
        at("/broken").on_connect(broken),
    ];
    let mut house = House::open(SocketIo::new(), Limits::default(), gateways).await;
    let mut peer = Peer::connect(house.addr, "").await;
    for (path, words) in [
        ("/layer", "Not by the layer"),
        ("/guard", "Not by the guard"),
        ("/hook", "Not by the hook"),
        ("/broken", "Internal server error"),
        ("/nowhere", "Invalid namespace"),
    ] {
        peer.send(&format!("40{path},")).await;
        peer.expect(&format!("44{path},{{\"message\":\"{words}\"}}")).await;
    }
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
    until(|| house.server.stats().clients == 1).await;
    assert_eq!(house.server.stats().refused, 4);
    assert_eq!(house.rest(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_vanishes_in_the_middle_of_on_connect_is_released() {
    async fn slowly(State(probe): State<Probe>) {
        probe.note("connecting");
        probe.pass().await;
    }
    let mut house = House::with(Gateway::new().on_connect(slowly).on_disconnect(left)).await;
    let mut peer = Peer::open(house.addr).await;
    peer.send("40").await;
    assert_eq!(house.noted().await, "connecting");
    drop(peer);
    let poller = Poller::open(house.addr).await;
    assert_eq!(poller.post("40").await, 200);
    assert_eq!(house.noted().await, "connecting");
    assert_eq!(poller.post("1").await, 200);
    house.probe.gate.add_permits(2);
    until(|| house.server.stats().clients == 0).await;
    assert!(house.hub().is_empty());
    let rest = house.end().await;
    assert!(rest.iter().all(|reason| reason == "ClientGone"), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_on_connect_makes_to_leave_is_told() {
    async fn leaves(client: Client) {
        client.disconnect(4000, "not today");
    }
    let mut house = House::with(Gateway::new().on_connect(leaves).on_disconnect(left)).await;
    let mut peer = Peer::open(house.addr).await;
    peer.send("40").await;
    let told = peer.rest().await;
    let last = told.last().map(String::as_str).unwrap_or_default();
    assert!(last == "41" || last.starts_with("44"), "{told:?}");
    until(|| house.server.stats().clients == 0).await;
    let reasons = house.rest();
    assert!(reasons.len() <= 1, "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_connect_is_none() {
    async fn connecting(State(probe): State<Probe>) {
        probe.note("connecting");
    }
    let mut house = House::with(Gateway::new().on_connect(connecting).on_disconnect(left)).await;
    let mut peer = Peer::connect(house.addr, "").await;
    assert_eq!(house.noted().await, "connecting");
    for _ in 0..20 {
        peer.send("40").await;
    }
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
    assert_eq!((house.server.stats().clients, house.rest().len()), (1, 0));
    // In the same moment.
    let mut twice = Peer::open(house.addr).await;
    twice.send_together(&["40", "40", "40"]).await;
    assert!(twice.next().await.unwrap().starts_with("40{"));
    twice.send("421[\"hello\"]").await;
    twice.expect("431[\"hello\"]").await;
    assert_eq!(house.noted().await, "connecting");
    assert_eq!((house.server.stats().clients, house.rest().len()), (2, 0));
}

async fn which(Path(id): Path<u64>) -> u64 {
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_namespaces_of_a_pattern_come_and_go_and_come_again() {
    let gateway = Gateway::new().namespace("/game/{id}").on("which", which).on_disconnect(left);
    let door = SocketIo::new().namespace_grace(Duration::from_millis(50));
    let mut house = House::open(door, Limits::default(), vec![gateway]).await;
    for _ in 0..2 {
        let mut peer = Peer::connect(house.addr, "/game/0").await;
        for n in 1..500 {
            peer.enter(&format!("/game/{n}")).await;
            peer.send(&format!("42/game/{n},1[\"which\"]")).await;
            peer.expect(&format!("43/game/{n},1[{n}]")).await;
        }
        assert_eq!(house.server.stats().clients, 500);
        drop(peer);
        for _ in 0..500 {
            assert_eq!(house.noted().await, "ClientGone");
        }
        until(|| house.server.stats().clients == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_enters_a_namespace_while_it_is_freed_is_let_in() {
    let gateway = Gateway::new().namespace("/game/{id}").on("which", which);
    let door = SocketIo::new().namespace_grace(Duration::from_millis(20));
    let house = House::open(door, Limits::default(), vec![gateway]).await;
    let addr = house.addr;
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(async move {
            let mut peer = Peer::open(addr).await;
            for n in 0..300_u64 {
                peer.enter("/game/1").await;
                peer.send(&format!("42/game/1,{n}[\"which\"]")).await;
                peer.expect(&format!("43/game/1,{n}[1]")).await;
                peer.send("41/game/1,").await;
            }
        });
    }
    soon(clients.join_all()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_open_a_namespace_in_the_same_moment_meet_in_it() {
    let gateway = Gateway::new().namespace("/game/{id}").on("which", which).on_disconnect(left);
    let mut house = House::open(SocketIo::new(), Limits::default(), vec![gateway]).await;
    let (mut one, mut two) = (Peer::open(house.addr).await, Peer::open(house.addr).await);
    for n in 0..200 {
        let path = format!("/game/{n}");
        tokio::join!(one.enter(&path), two.enter(&path));
        let hub = house.server.hub(&path).unwrap();
        until(|| hub.len() == 2).await;
        assert_eq!(hub.emit("news", &n).unwrap(), 2);
        for peer in [&mut one, &mut two] {
            peer.expect(&format!("42{path},[\"news\",{n}]")).await;
            peer.send(&format!("42{path},1[\"which\"]")).await;
            peer.expect(&format!("43{path},1[{n}]")).await;
        }
    }
    drop((one, two));
    for _ in 0..400 {
        assert_eq!(house.noted().await, "ClientGone");
    }
}
