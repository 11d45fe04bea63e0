//! Too many messages and connects: who is told, who is let go, and who is not disturbed.

use std::{net::SocketAddr, time::Duration};

use http::Request;
use narthex_core::{Extension, Frame, Gateway, PeerAddr, Principal, Server, TestClient, TestServer};
use narthex_middleware::rate_limit::{ClientAddr, Rate, RateLimitLayer, TrustedProxies};
use serde_json::{Value, json};

async fn server(rate: &RateLimitLayer) -> TestServer {
    let gateway = Gateway::new().on("one", async || 1).on("rare", async || 2);
    let server = Server::new(gateway).handshake_layer(rate.clone()).message_layer(rate.clone());
    TestServer::of(server).await.unwrap()
}

fn from(peer: &str) -> Request<()> {
    let address: SocketAddr = format!("{peer}:1").parse().unwrap();
    Request::get("/").extension(PeerAddr(address)).body(()).unwrap()
}

fn as_principal(name: &str) -> Request<()> {
    Request::get("/").extension(Principal(name.into())).body(()).unwrap()
}

async fn connect(server: &TestServer, request: Request<()>) -> TestClient {
    server.connect_with(request).await.unwrap()
}

/// How many of so many messages are let through.
async fn passed(client: &mut TestClient, event: &str, count: usize) -> usize {
    let mut passed = 0;
    for _ in 0..count {
        passed += usize::from(client.ask_value(event, &()).await.unwrap().is_ok());
    }
    passed
}

async fn later(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_answered_and_its_client_recovers_while_others_notice_nothing() {
    let rate = RateLimitLayer::none().connection(Rate::per_second(2).burst(5));
    let server = server(&rate).await;
    let (mut flooder, mut other) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    assert_eq!(passed(&mut flooder, "one", 20).await, 5);
    let refused = flooder.ask_value("one", &()).await.unwrap().unwrap_err();
    assert_eq!(refused, json!({"status": "error", "message": "Too many messages", "retryAfter": 1}));
    assert_eq!(passed(&mut other, "one", 5).await, 5);
    later(2).await;
    assert_eq!(passed(&mut flooder, "one", 20).await, 4);
}

#[tokio::test(start_paused = true)]
async fn unknown_events_and_frames_that_cannot_be_read_count_too() {
    let rate = RateLimitLayer::none().connection(Rate::per_minute(1).burst(4));
    let server = server(&rate).await;
    let mut client = server.connect().await.unwrap();
    for _ in 0..2 {
        client.send_frame(Frame::text("{")).await.unwrap();
        let told = client.expect("exception").await.unwrap();
        assert_ne!(told["message"], "Too many messages");
        let unknown = client.ask::<Value>("nobody", &()).await.unwrap_err();
        assert_eq!(unknown.to_string(), "Unknown event");
    }
    assert_eq!(passed(&mut client, "one", 1).await, 0);
    client.send_frame(Frame::text("{")).await.unwrap();
    assert_eq!(client.expect("exception").await.unwrap()["message"], "Too many messages");
}

#[tokio::test(start_paused = true)]
async fn an_event_may_have_a_rate_of_its_own() {
    let rate = RateLimitLayer::none().event("rare", Rate::per_minute(2));
    let server = server(&rate).await;
    let mut client = server.connect().await.unwrap();
    assert_eq!(passed(&mut client, "rare", 10).await, 2);
    assert_eq!(passed(&mut client, "one", 10).await, 10);
    let refused = client.ask_value("rare", &()).await.unwrap().unwrap_err();
    assert_eq!(refused["retryAfter"], 30);
}

#[tokio::test(start_paused = true)]
async fn an_address_and_a_principal_are_limited_over_all_of_their_connections() {
    let rule = Rate::per_minute(5);
    let by_address = server(&RateLimitLayer::none().address(rule)).await;
    let by_principal = server(&RateLimitLayer::none().principal(rule)).await;
    for (server, same, others) in [
        (&by_address, [from("192.0.2.1"), from("192.0.2.1")], [from("192.0.2.2"), as_principal("192.0.2.1")]),
        (
            &by_address,
            [from("[2001:db8::1]"), from("[2001:db8::2:2]")],
            [from("[2001:db8:0:1::1]"), from("[::1]")],
        ),
        (&by_principal, [as_principal("ada"), as_principal("ada")], [as_principal("bob"), from("192.0.2.1")]),
    ] {
        let mut together = 0;
        for request in same {
            together += passed(&mut connect(server, request).await, "one", 10).await;
        }
        assert_eq!(together, 5);
        for request in others {
            assert!(passed(&mut connect(server, request).await, "one", 5).await == 5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn coming_back_on_another_connection_brings_no_new_tokens() {
    let server = server(&RateLimitLayer::new().connects(None)).await;
    let mut through = 0;
    for _ in 0..20 {
        through += passed(&mut connect(&server, from("192.0.2.1")).await, "one", 40).await;
    }
    assert_eq!(through, 200);
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_and_on_is_disconnected_and_who_stops_is_not() {
    let rate = RateLimitLayer::none().connection(Rate::per_second(1)).refusals(Rate::per_second(1).burst(10));
    let server = server(&rate).await;
    let (mut stubborn, mut sorry) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    for _ in 0..5 {
        assert_eq!(passed(&mut sorry, "one", 10).await, 1);
        later(10).await;
    }
    assert_eq!(passed(&mut sorry, "one", 1).await, 1);
    for _ in 0..20 {
        stubborn.emit("one", &()).await.unwrap_or_default();
    }
    let reason = stubborn.closed().await.unwrap();
    assert_eq!((reason.code(), reason.text()), (1008, "too many messages"));
    assert_eq!(passed(&mut sorry, "one", 1).await, 0);
}

#[tokio::test(start_paused = true)]
async fn connects_are_limited_by_address_and_by_principal() {
    let server = server(&RateLimitLayer::none().connects(Rate::per_minute(2))).await;
    for (request, other) in [(from as fn(&str) -> Request<()>, "192.0.2.2"), (as_principal, "bob")] {
        for _ in 0..2 {
            connect(&server, request("192.0.2.1")).await;
        }
        let refused = server.connect_with(request("192.0.2.1")).await.unwrap_err();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &"30".parse().unwrap())
        );
        let body: Value = serde_json::from_slice(refused.body()).unwrap();
        assert_eq!(body["message"], "Too many connects");
        connect(&server, request(other)).await;
        later(30).await;
        connect(&server, request("192.0.2.1")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_what_a_trusted_proxy_says_and_never_what_others_say() {
    let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
    let rate = RateLimitLayer::none().connects(Rate::per_minute(1)).trusted_proxies(proxies);
    let server = server(&rate).await;
    let by = |peer: &str, header: &str| {
        let mut request = from(peer);
        request.headers_mut().insert("x-forwarded-for", header.parse().unwrap());
        request
    };
    connect(&server, by("10.0.0.1", "203.0.113.1")).await;
    connect(&server, by("10.0.0.1", "203.0.113.2")).await;
    server.connect_with(by("10.0.0.2", "198.51.100.9, 203.0.113.1")).await.unwrap_err();
    connect(&server, by("192.0.2.1", "203.0.113.3")).await;
    server.connect_with(by("192.0.2.1", "203.0.113.4")).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn two_layers_have_buckets_of_their_own() {
    let outer = RateLimitLayer::none().connection(Rate::per_minute(5));
    let inner = RateLimitLayer::none().connection(Rate::per_minute(2));
    let gateway = Gateway::new().layer(outer).on("one", async || 1);
    let gateway = gateway.on("rare", narthex_core::Handler::layer(async || 2, inner));
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(passed(&mut client, "rare", 3).await, 2);
    assert_eq!(passed(&mut client, "one", 5).await, 2);
}

fn behind(proxy: &str, header: &'static str, value: &str) -> Request<()> {
    let mut request = from(proxy);
    request.headers_mut().insert(header, value.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn the_header_that_the_proxies_do_not_write_is_the_clients_own_invention() {
    let rate = RateLimitLayer::none().connects(Rate::per_minute(1));
    let ours = || TrustedProxies::new(["10.0.0.0/8"]).unwrap();
    let by_name = server(&rate.clone().trusted_proxies(ours())).await;
    let by_rfc = server(&rate.trusted_proxies(ours().forwarded())).await;
    for (server, written, invented) in
        [(&by_name, "x-forwarded-for", "forwarded"), (&by_rfc, "forwarded", "x-forwarded-for")]
    {
        let hop = |addr: &str| if written == "forwarded" { format!("for={addr}") } else { addr.to_owned() };
        for (client, told) in [("203.0.113.1", true), ("203.0.113.1", false), ("203.0.113.2", true)] {
            let mut request = behind("10.0.0.1", written, &hop(client));
            for invention in ["for=198.51.100.1", "198.51.100.1"] {
                request.headers_mut().append(invented, invention.parse().unwrap());
            }
            assert_eq!(server.connect_with(request).await.is_ok(), told, "{written}: {client}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_by_the_address_behind_the_proxy_also_where_connects_are_not() {
    let proxies = TrustedProxies::new(["10.0.0.1"]).unwrap();
    let rate = RateLimitLayer::none().address(Rate::per_minute(5)).trusted_proxies(proxies);
    let server = TestServer::new(Gateway::new().layer(rate).on("one", async || 1)).await.unwrap();
    for (client, expected) in [("203.0.113.1", 5), ("203.0.113.2", 5), ("203.0.113.1", 0)] {
        let mut client = connect(&server, behind("10.0.0.1", "x-forwarded-for", client)).await;
        assert_eq!(passed(&mut client, "one", 10).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_are_told_the_address_behind_the_proxy_unless_a_layer_before_knows_better() {
    let rate = RateLimitLayer::none().trusted_proxies(TrustedProxies::new(["10.0.0.1"]).unwrap());
    let tell = async |Extension(ClientAddr(addr)): Extension<ClientAddr>| addr.to_string();
    let gateway = Gateway::new().handshake_layer(rate).on("who", tell);
    let server = TestServer::new(gateway).await.unwrap();
    let mut behind_it = connect(&server, behind("10.0.0.1", "x-forwarded-for", "203.0.113.1")).await;
    assert_eq!(behind_it.ask::<String>("who", &()).await.unwrap(), "203.0.113.1");
    let mut liar = connect(&server, behind("10.0.0.2", "x-forwarded-for", "203.0.113.1")).await;
    assert_eq!(liar.ask::<String>("who", &()).await.unwrap(), "10.0.0.2");
    let mut known = behind("10.0.0.1", "x-forwarded-for", "203.0.113.1");
    known.extensions_mut().insert(ClientAddr([192, 0, 2, 1].into()));
    let mut known = connect(&server, known).await;
    assert_eq!(known.ask::<String>("who", &()).await.unwrap(), "192.0.2.1");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_disconnected_where_no_refusals_are_too_many() {
    let rate = RateLimitLayer::new().connection(Rate::per_minute(1)).refusals(None);
    let server = server(&rate).await;
    let mut client = server.connect().await.unwrap();
    assert_eq!(passed(&mut client, "one", 500).await, 1);
    later(60).await;
    assert_eq!(passed(&mut client, "one", 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_an_attacker_has_used_up_do_not_stay_and_lock_nobody_out_of_theirs() {
    let rate = RateLimitLayer::none().connects(Rate::per_minute(2)).most_keys(10);
    let server = server(&rate).await;
    connect(&server, from("192.0.2.1")).await;
    let mut refused = 0;
    for host in 0..50 {
        refused += usize::from(server.connect_with(from(&format!("198.51.100.{host}"))).await.is_err());
    }
    // Nine had room; the others share two tokens.
    assert_eq!((rate.keys(), refused), (10, 50 - 9 - 2));
    connect(&server, from("192.0.2.1")).await;
    for _ in 0..3 {
        later(61).await;
        connect(&server, from("192.0.2.1")).await;
    }
    assert_eq!(rate.keys(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_uses_an_address_up_gets_nobody_else_disconnected() {
    let rate = RateLimitLayer::none().address(Rate::per_minute(1)).refusals(Rate::per_minute(2));
    let server = server(&rate).await;
    let mut flooder = connect(&server, from("192.0.2.1")).await;
    let mut neighbour = connect(&server, from("192.0.2.1")).await;
    passed(&mut flooder, "one", 1).await;
    assert_eq!(passed(&mut neighbour, "one", 20).await, 0);
    later(60).await;
    assert_eq!(passed(&mut neighbour, "one", 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn messages_that_there_is_no_room_for_count_too() {
    let rate = RateLimitLayer::none().connection(Rate::per_minute(5)).refusals(Rate::per_minute(2));
    let busy = narthex_core::Handler::concurrent(async || std::future::pending::<()>().await, 1);
    let gateway = Gateway::new().layer(rate).on("busy", busy);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("busy", &()).await.unwrap();
    let mut said = Vec::new();
    for _ in 0..6 {
        let refused = client.ask_value("busy", &()).await.unwrap().unwrap_err();
        said.push(refused["message"].as_str().unwrap().to_owned());
    }
    assert_eq!(said[..4], ["Overloaded"; 4]);
    assert_eq!(said[4..], ["Too many messages"; 2]);
    client.emit("busy", &()).await.unwrap();
    assert_eq!(client.closed().await.unwrap().code(), 1008);
}

#[tokio::test(start_paused = true)]
async fn a_message_for_two_gateways_counts_once() {
    let rate = RateLimitLayer::none().connection(Rate::per_minute(4));
    let gateway = || Gateway::new().on("one", async || 1);
    let server = Server::new(gateway()).gateway(gateway()).message_layer(rate);
    let server = TestServer::of(server).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(passed(&mut client, "one", 10).await, 4);
}
