use std::{sync::Arc, time::Duration};

use narthex_core::{Event, Gateway, Handler, Json, Reply, State, TestClient, TestServer};
use narthex_middleware::{ConcurrencyLayer, TimeoutLayer, from_fn, from_fn::Next};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

type Started = mpsc::UnboundedReceiver<u32>;

/// Where calls say that they have begun, and where they wait until they may end.
#[derive(Clone)]
struct Work {
    begun: mpsc::UnboundedSender<u32>,
    end: Arc<Semaphore>,
}

async fn work(State(work): State<Work>, Json(n): Json<u32>) -> u32 {
    work.begun.send(n).unwrap();
    work.end.acquire().await.unwrap().forget();
    n
}

fn new_work() -> (Work, Started) {
    let (begun, started) = mpsc::unbounded_channel();
    (Work { begun, end: Arc::new(Semaphore::new(0)) }, started)
}

/// Under a paused clock this comes back when nobody has anything left to do.
async fn is_idle(started: &mut Started) -> bool {
    tokio::time::timeout(Duration::from_secs(1), started.recv()).await.is_err()
}

async fn overloaded(client: &mut TestClient, event: &str) -> bool {
    let answer = client.ask_value(event, &9).await.unwrap();
    answer == Err(json!({ "status": "error", "message": "Overloaded" }))
}

#[tokio::test(start_paused = true)]
async fn calls_of_all_clients_share_the_places_and_wait_in_the_order_of_arrival() {
    let (state, mut started) = new_work();
    let end = Arc::clone(&state.end);
    let gateway = Gateway::new().state(state).layer(ConcurrencyLayer::new(1)).on("work", work);
    let server = TestServer::new(gateway).await.unwrap();
    let mut clients = Vec::new();
    for n in 0..4 {
        let mut client = server.connect().await.unwrap();
        client.emit("work", &n).await.unwrap();
        if n == 0 {
            assert_eq!(started.recv().await, Some(0));
        }
        assert!(is_idle(&mut started).await, "{n} waits");
        clients.push(client);
    }
    for n in 1..4 {
        end.add_permits(1);
        assert_eq!(started.recv().await, Some(n));
        assert!(is_idle(&mut started).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_too_many_is_shed_at_once_where_that_is_asked_for() {
    let (state, mut started) = new_work();
    let end = Arc::clone(&state.end);
    let layer = ConcurrencyLayer::new(1).shed();
    let gateway = Gateway::new().state(state).layer(layer).on("work", work);
    let server = TestServer::new(gateway).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    one.emit("work", &1).await.unwrap();
    assert_eq!(started.recv().await, Some(1));
    assert!(overloaded(&mut two, "work").await);
    end.add_permits(2);
    assert!(is_idle(&mut started).await);
    assert_eq!(two.ask::<u32>("work", &2).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_client_has_places_of_its_own_and_each_layer_counts_for_itself() {
    let (state, mut started) = new_work();
    let end = Arc::clone(&state.end);
    let gateway = Gateway::new()
        .state(state)
        .on("pair", work.concurrent(8).layer(ConcurrencyLayer::per_client(2)))
        .on("single", work.concurrent(8).layer(ConcurrencyLayer::per_client(1).shed()));
    let server = TestServer::new(gateway).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    for n in 0..3 {
        one.emit("pair", &n).await.unwrap();
    }
    assert_eq!((started.recv().await, started.recv().await), (Some(0), Some(1)));
    assert!(is_idle(&mut started).await);
    one.emit("single", &3).await.unwrap();
    assert_eq!(started.recv().await, Some(3));
    assert!(overloaded(&mut one, "single").await);
    two.emit("pair", &4).await.unwrap();
    assert_eq!(started.recv().await, Some(4));
    end.add_permits(1);
    assert_eq!(started.recv().await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_layer_and_its_clones_have_the_same_places() {
    let (state, mut started) = new_work();
    let layer = ConcurrencyLayer::new(1).shed();
    let one = Gateway::new().namespace("/one").state(state.clone()).layer(layer.clone()).on("work", work);
    let two = Gateway::new().namespace("/two").state(state).on("work", work.layer(layer));
    let server = TestServer::of(narthex_core::Server::new(one).gateway(two)).await.unwrap();
    let mut first = server.connect_to("/one").await.unwrap();
    let mut second = server.connect_to("/two").await.unwrap();
    first.emit("work", &1).await.unwrap();
    assert_eq!(started.recv().await, Some(1));
    assert!(overloaded(&mut second, "work").await);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_after_a_panic_and_after_a_call_that_was_dropped() {
    let (state, mut started) = new_work();
    let panics = async || -> u32 { panic!("a handler was asked to panic") };
    let gateway = Gateway::new()
        .state(state)
        .layer(TimeoutLayer::new(Duration::from_secs(2)))
        .layer(ConcurrencyLayer::new(1))
        .on("work", work)
        .on("panic", panics)
        .on("quick", async || 7);
    let server = TestServer::new(gateway).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    assert!(one.ask::<u32>("panic", &0).await.is_err());
    one.emit("work", &1).await.unwrap();
    assert_eq!(started.recv().await, Some(1));
    assert!(is_idle(&mut started).await);
    // It waits for a second until the first call's time is over.
    assert_eq!(two.ask::<u32>("quick", &0).await.unwrap(), 7);
    assert_eq!(one.expect("exception").await.unwrap()["message"], "The handler took too long");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_over_while_it_waits_is_never_begun() {
    let (state, mut started) = new_work();
    let end = Arc::clone(&state.end);
    let patient = from_fn(|event: Event, next: Next| async {
        let is_second = event.message().payload().parse::<u32>().is_ok_and(|n| n == 2);
        let patience = Duration::from_secs(if is_second { 1 } else { 60 });
        tokio::time::timeout(patience, next.run(event)).await.unwrap_or_else(|_| Reply::none())
    });
    let limited = work.layer(patient).layer(ConcurrencyLayer::new(1));
    let gateway = Gateway::new().state(state).on("work", limited);
    let server = TestServer::new(gateway).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    one.emit("work", &1).await.unwrap();
    assert_eq!(started.recv().await, Some(1));
    assert_eq!(two.ask::<Value>("work", &2).await.unwrap(), Value::Null);
    one.emit("work", &3).await.unwrap();
    end.add_permits(1);
    assert_eq!(started.recv().await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn no_place_at_all_is_one() {
    for layer in
        [ConcurrencyLayer::new(0), ConcurrencyLayer::per_client(0), ConcurrencyLayer::new(usize::MAX)]
    {
        let server = TestServer::new(Gateway::new().layer(layer).on("one", async || 1)).await.unwrap();
        assert_eq!(server.connect().await.unwrap().ask::<u32>("one", &()).await.unwrap(), 1);
    }
}
