//! Timeouts, limits, interceptors and layers from async fns, behind every door.

use std::{future::pending, sync::Arc, time::Duration};

use narthex::{
    BoxError, Denied, DeniedKind, Emit, Event, Extension, Gateway, Handler, Json, Payload, Reply, Server,
    middleware::{
        CatchPanicLayer, ConcurrencyLayer, HandleErrorLayer, TimeoutLayer,
        from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse},
        map_reply,
    },
};
use narthex_conformance::{Arrive, Peer};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::{ServiceBuilder, load_shed::LoadShedLayer};

use super::kit::{ask, hear, open, say};

/// Short enough to be waited for, on a real clock.
const SHORT: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Tenant(String);

async fn tenant(mut request: HandshakeRequest, next: HandshakeNext) -> Result<HandshakeResponse, Denied> {
    let tenant = request.uri().query().and_then(|query| query.strip_prefix("tenant="));
    let tenant = Tenant(tenant.ok_or_else(|| Denied::not_found("Whose?"))?.to_owned());
    request.extensions_mut().insert(tenant);
    Ok(next.run(request).await)
}

async fn never() {
    pending().await
}

async fn panics() {
    panic!("a handler was asked to panic");
}

#[derive(serde::Serialize)]
struct Wrapped {
    data: Payload,
}

/// `held` says that it holds a place, and keeps it until a permit of `end` comes.
fn gateway(end: &Arc<Semaphore>) -> Gateway {
    let wrapped = map_reply(|_: &Event| {
        |reply: Reply| {
            let reply = reply.map_values(|data| Json(Wrapped { data }));
            reply.map_emits(|emit| emit.with_event("renamed"))
        }
    });
    let shed = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|error: BoxError| async {
            Denied::new(DeniedKind::Overloaded, "Come back later").with_source(error)
        }))
        .layer(LoadShedLayer::new())
        .layer(tower::limit::ConcurrencyLimitLayer::new(1));
    let end = Arc::clone(end);
    let hold = move |client: narthex::Client| {
        let end = Arc::clone(&end);
        async move {
            client.emit("holds", &true)?;
            end.acquire().await.map_err(Denied::from)?.forget();
            Ok::<_, Denied>("done")
        }
    };
    Gateway::new()
        .handshake_layer(from_fn::handshake(tenant))
        .layer(CatchPanicLayer::new())
        .on("whose", |Extension(Tenant(tenant)): Extension<Tenant>| async { tenant })
        .on("handler", never.layer(TimeoutLayer::new(SHORT)))
        .on("guard", (async || 1).guard(never).layer(TimeoutLayer::new(SHORT)))
        .on("panic", panics)
        .on("value", (async || 1).layer(wrapped))
        .on("emit", (async || Emit::new("news", &2)).layer(wrapped))
        .on("ours", hold.clone().layer(ConcurrencyLayer::new(1).shed()))
        .on("towers", hold.layer(shed))
}

/// What a client hears of each layer.
async fn transcript(peer: &dyn Peer) -> Vec<Value> {
    let mut heard = Vec::new();
    for event in ["whose", "handler", "guard", "panic", "value"] {
        say(peer, json!({ "event": event, "id": 1 })).await;
        heard.push(hear(peer).await);
    }
    for event in ["handler", "emit"] {
        say(peer, json!({ "event": event })).await;
        heard.push(hear(peer).await);
    }
    heard
}

fn expected() -> Vec<Value> {
    let failed = |message: &str| json!({ "status": "error", "message": message });
    let refused = |message: &str| json!({ "ack": 1, "error": failed(message) });
    vec![
        json!({ "ack": 1, "data": "acme" }),
        refused("The handler took too long"),
        refused("The handler took too long"),
        refused("Internal server error"),
        json!({ "ack": 1, "data": { "data": 1 } }),
        json!({ "event": "exception", "data": failed("The handler took too long") }),
        json!({ "event": "renamed", "data": 2 }),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_do_the_same_behind_every_door() {
    let end = Arc::new(Semaphore::new(0));
    let street = open(Server::new(gateway(&end))).await;
    for door in street.doors() {
        let peer = street.enter(door, &Arrive::at("/?tenant=acme")).await;
        assert_eq!(transcript(&*peer).await, expected(), "{door}");
        let (_, said) = street.arrive(door, &Arrive::at("/?nobody")).await.map(|_| "let in").unwrap_err();
        assert!(said.contains("Whose?"), "{door}: {said:?}");
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_one_for_the_clients_of_all_doors_and_a_call_too_many_is_told() {
    let end = Arc::new(Semaphore::new(0));
    let street = open(Server::new(gateway(&end))).await;
    let mut peers = Vec::new();
    for door in street.doors() {
        peers.push((door, street.enter(door, &Arrive::at("/?tenant=acme")).await));
    }
    for (event, why) in [("ours", "Overloaded"), ("towers", "Come back later")] {
        for at in 0..peers.len() {
            let (holder, holds) = &peers[at];
            say(&**holds, json!({ "event": event, "id": 1 })).await;
            assert_eq!(hear(&**holds).await, json!({ "event": "holds", "data": true }), "{holder}");
            for (door, other) in peers.iter().filter(|(door, _)| door != holder) {
                let answer = ask(&**other, event, json!(null)).await;
                assert_eq!(answer, Err(why.to_owned()), "{door}, while {holder} holds the place");
            }
            end.add_permits(1);
            assert_eq!(hear(&**holds).await, json!({ "ack": 1, "data": "done" }), "{holder}");
        }
    }
    street.bound.drain().await.unwrap();
}
