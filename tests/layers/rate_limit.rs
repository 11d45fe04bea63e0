//! Floods, behind every door.

use std::time::Duration;

use narthex::{
    Gateway, Server,
    middleware::rate_limit::{Rate, RateLimitLayer, TrustedProxies},
};
use narthex_conformance::{Arrive, Peer};
use serde_json::{Value, json};

use super::kit::{Street, ask, hear, open, say};

const TOO_MANY: &str = "Too many messages";

async fn street(rate: &RateLimitLayer) -> Street {
    let gateway = Gateway::new().on("knock", async || ()).on("one", async || 1).on("rare", async || 2);
    open(Server::new(gateway).handshake_layer(rate.clone()).message_layer(rate.clone())).await
}

async fn one(peer: &dyn Peer) -> Result<Value, String> {
    ask(peer, "one", Value::Null).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_answered_behind_every_door_and_its_client_recovers() {
    const BURST: usize = 20;
    let rate =
        RateLimitLayer::none().event("one", Rate::per_second(2).burst(20)).event("rare", Rate::per_hour(1));
    let street = street(&rate).await;
    for door in street.doors() {
        let flooder = street.enter(door, &Arrive::at("/")).await;
        let other = street.enter(door, &Arrive::at("/")).await;
        let mut refused = 0;
        for _ in 0..BURST * 3 {
            match one(&*flooder).await {
                Ok(value) => assert_eq!(value, 1, "{door}"),
                Err(why) => {
                    assert_eq!(why, TOO_MANY, "{door}");
                    refused += 1;
                }
            }
        }
        assert!(refused > BURST, "{door}: {refused}");
        // Without an id it is an event that says so.
        assert_eq!(ask(&*flooder, "rare", Value::Null).await, Ok(json!(2)), "{door}");
        say(&*flooder, json!({ "event": "rare" })).await;
        let mut told = hear(&*flooder).await;
        let wait = told["data"]["retryAfter"].take();
        assert!(wait.as_u64().is_some_and(|seconds| (3000..=3600).contains(&seconds)), "{door}: {wait}");
        let error = json!({ "status": "error", "message": TOO_MANY, "retryAfter": null });
        assert_eq!(told, json!({ "event": "exception", "data": error }), "{door}");
        assert_eq!(one(&*other).await, Ok(json!(1)), "{door}");
        // What is refused costs nothing, so asking again and again finds the next token.
        let recovered = async { while one(&*flooder).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(10), recovered).await.expect("it recovers");
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_that_goes_on_is_disconnected_behind_every_door_and_others_are_not() {
    let rate = RateLimitLayer::none().event("one", Rate::per_hour(1)).refusals(Rate::per_hour(1).burst(5));
    let street = street(&rate).await;
    for door in street.doors() {
        let flooder = street.enter(door, &Arrive::at("/")).await;
        let other = street.enter(door, &Arrive::at("/")).await;
        assert_eq!(one(&*flooder).await, Ok(json!(1)), "{door}");
        for _ in 0..5 {
            assert_eq!(one(&*flooder).await, Err(TOO_MANY.to_owned()), "{door}");
        }
        assert_eq!(ask(&*flooder, "rare", Value::Null).await, Ok(json!(2)), "{door}: it is still there");
        say(&*flooder, json!({ "event": "one", "id": 9 })).await;
        let last = async { while flooder.recv().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(10), last).await.expect("it is disconnected");
        // Socket.IO has no close codes.
        let said = (door != "socketio").then(|| (1008, "too many messages".to_owned()));
        assert_eq!(flooder.goodbye(), said, "{door}");
        assert_eq!(one(&*other).await, Ok(json!(1)), "{door}");
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connects_and_messages_are_limited_by_the_address_behind_the_proxy_on_every_door_with_one() {
    let rate = RateLimitLayer::none()
        .address(Rate::per_hour(6))
        .connects(Rate::per_hour(2))
        .trusted_proxies(TrustedProxies::new(["127.0.0.1"]).unwrap());
    for door in ["ws", "socketio", "sse"] {
        let street = street(&rate).await;
        let from = |client: &str| Arrive::at("/").header("x-forwarded-for", format!("192.0.2.9, {client}"));
        // One value for all of these servers counts them together.
        let net = |host: u8| match door {
            "ws" => format!("203.0.113.{host}"),
            "sse" => format!("198.51.100.{host}"),
            _ => format!("2001:db8:0:{host}::1"),
        };
        let first = street.enter(door, &from(&net(1))).await;
        let second = street.enter(door, &from(&net(1))).await;
        let refused = street.arrive(door, &from(&net(1))).await.err();
        let (status, text) = refused.unwrap_or_else(|| panic!("{door}: a third is let in"));
        assert!(
            status.is_none_or(|status| status == 429) && text.contains("Too many connects"),
            "{door}: {text}"
        );
        let mut passed = 0;
        for peer in [&first, &second] {
            for _ in 0..6 {
                passed += usize::from(one(&**peer).await.is_ok());
            }
        }
        // Behind Socket.IO each knocked once to learn that it was let in.
        let knocks = if door == "socketio" { 2 } else { 0 };
        assert_eq!(passed, 6 - knocks, "{door}");
        let other = street.enter(door, &from(&net(2))).await;
        assert_eq!(one(&*other).await, Ok(json!(1)), "{door}");
        street.bound.drain().await.unwrap();
    }
}
