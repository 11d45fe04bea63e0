//! Peers that speak Engine.IO 3, where official clients cannot be made to do it.

use std::time::Duration;

use narthex_core::{Gateway, Limits, Query};
use narthex_socketio::SocketIo;

use crate::{
    house::{House, left},
    peer::Peer,
};

fn door() -> SocketIo {
    SocketIo::new().allow_eio3(true)
}

async fn token(Query(query): Query<Vec<(String, String)>>) -> String {
    query.into_iter().map(|(name, value)| format!("{name}={value};")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_root_they_pass_through_it_and_new_peers_do_not() {
    let gateway = Gateway::new().namespace("/game/{id}").on("token", token).on_disconnect(left);
    let door = door().namespace_grace(Duration::from_millis(1));
    let mut house = House::open(door, Limits::default(), vec![gateway]).await;
    for n in 0..20 {
        let mut peer = Peer::open_old(house.addr).await;
        peer.expect("40").await;
        peer.send(&format!("40/game/{n}?token=a%20b,")).await;
        peer.expect(&format!("40/game/{n},")).await;
        peer.send(&format!("42/game/{n},7[\"token\"]")).await;
        peer.expect(&format!("43/game/{n},7[\"token=a b;\"]")).await;
        peer.send(&format!("41/game/{n},")).await;
        assert!(house.noted().await.contains("client namespace disconnect"));
    }
    let mut new = Peer::open(house.addr).await;
    new.send("40").await;
    new.expect("44{\"message\":\"Invalid namespace\"}").await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_text_and_who_enters_nothing_is_let_go_although_it_pings() {
    let refuses =
        Gateway::new().connect_guard(async || Err::<(), _>(narthex_core::Denied::forbidden("Not \"you\"")));
    let door = door().connect_timeout(Duration::from_millis(300));
    let house = House::open(door, Limits::default(), vec![refuses]).await;
    let mut peer = Peer::open_old(house.addr).await;
    peer.expect("44\"Not \\\"you\\\"\"").await;
    peer.send("2").await;
    peer.expect("3").await;
    assert!(peer.rest().await.is_empty());
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_tells_them_to_leave() {
    let gateways = vec![Gateway::new().on_disconnect(left), Gateway::new().namespace("/chat")];
    let house = House::open(door(), Limits::default(), gateways).await;
    let mut peer = Peer::open_old(house.addr).await;
    peer.expect("40").await;
    peer.send("40/chat").await;
    peer.expect("40/chat,").await;
    let (noted, mut rest) = tokio::join!(house.end(), peer.rest());
    rest.sort();
    assert_eq!((noted.len(), rest), (1, vec!["41".to_owned(), "41/chat,".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_lets_them_in_they_are_refused_before_the_upgrade() {
    let house = House::with(Gateway::new()).await;
    assert_eq!(Peer::refused_old(house.addr).await, 400);
    house.end().await;
}
