//! HTTP services behind every door.

use std::time::Duration;

use axum::{Router, extract::Path, http::HeaderMap, routing::get};
use narthex::{Gateway, Server, rest::Rest};
use narthex_conformance::{Arrive, Peer};
use serde_json::{Value, json};

use super::kit::{ask, open};

async fn text(Path((size, milliseconds)): Path<(usize, u64)>) -> String {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    "x".repeat(size)
}

/// The names of all headers of the request.
async fn names(headers: HeaderMap) -> String {
    let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

async fn get_url(peer: &dyn Peer, url: &str) -> Value {
    ask(peer, "get", json!({ "method": "get", "url": url })).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_answer_arrives_at_once_or_later_and_a_larger_one_is_told() {
    let rest = Rest::new(Router::new().route("/text/{size}/{ms}", get(text)));
    let street = open(Server::new(rest.on(Gateway::new()))).await;
    for door in street.doors() {
        let peer = street.enter(door, &Arrive::at("/")).await;
        for url in ["/text/1000000/0", "/text/1000000/1"] {
            let answer = get_url(&*peer, url).await;
            assert_eq!(answer["body"].as_str().map(str::len), Some(1_000_000), "{door} {url}");
        }
        assert_eq!(get_url(&*peer, "/text/1048577/0").await["statusCode"], 500, "{door}");
        assert_eq!(get_url(&*peer, "/text/1/0").await["body"], "x", "{door}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_no_header_that_is_the_doors_own() {
    let rest = Rest::new(Router::new().route("/names", get(names)));
    let street = open(Server::new(rest.on(Gateway::new()))).await;
    for door in street.doors() {
        let peer = street.enter(door, &Arrive::at("/")).await;
        let names = get_url(&*peer, "/names").await["body"].as_str().unwrap_or_default().to_owned();
        let found = names.split(' ').find(|name| {
            let of_a_door = ["sec-websocket-", "x-narthex-", "accept-encoding", "if-", "last-event-id"];
            of_a_door.iter().any(|of_it| name.starts_with(of_it))
                || ["upgrade", "connection", "accept"].contains(name)
        });
        assert_eq!(found, None, "{door}: {names}");
    }
}
