//! One transcript is the same numbers on every door.

use std::collections::BTreeMap;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use narthex::{Client, Denied, Gateway, Handshake, Hub, Json, Server, State, middleware::MetricsLayer};
use narthex_conformance::Arrive;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::kit::{self, Street, ask, hear, say};

type Left = mpsc::UnboundedSender<()>;

async fn note(State(left): State<Left>) {
    // A test that has ended reads nothing.
    let _ = left.send(());
}

fn gateway(left: Left) -> Gateway {
    Gateway::new()
        .state(left)
        .on_disconnect(note)
        .connect_guard(|Handshake(info): Handshake| async move { !info.query().contains("refuse") })
        .on("hello", async || "hello")
        .on("double", |Json(n): Json<u64>| async move { n * 2 })
        .on("tell", |hub: Hub| async move { hub.emit("news", &1).map(|_| ()).map_err(Denied::from) })
        .on("panics", async || -> () { panic!("a handler was asked to panic") })
        .on("kick", |client: Client| async move { client.disconnect(4000, "off you go") })
}

/// Everything that a scrape shows but how long it took, without the label of the adapter.
fn scrape(handle: &PrometheusHandle, door: &str) -> BTreeMap<String, u64> {
    let text = handle.render();
    let lines = text.lines().filter(|line| line.starts_with("narthex_"));
    let fixed = lines.filter(|line| !line.contains("_sum{") && !line.contains("quantile="));
    let series = fixed.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.replace(&format!("adapter=\"{door}\""), "adapter"), value.parse().unwrap())
    });
    series.collect()
}

/// What one client says, and another hears.
async fn transcript(street: &Street, door: &str, left: &mut mpsc::UnboundedReceiver<()>) {
    let anywhere = Arrive::at("/");
    let (ann, bob) =
        (street.dial(door, &anywhere).await.unwrap(), street.dial(door, &anywhere).await.unwrap());
    for peer in [&*ann, &*bob] {
        assert_eq!(ask(peer, "hello", Value::Null).await.unwrap(), "hello");
    }
    for n in 0..3 {
        assert_eq!(ask(&*ann, "double", json!(n)).await.unwrap(), n * 2);
    }
    // Nobody asked, so nobody is answered.
    say(&*ann, json!({ "event": "double", "data": 1 })).await;
    ask(&*ann, "double", json!("two")).await.unwrap_err();
    say(&*ann, json!({ "event": "double", "data": "two" })).await;
    assert_eq!(hear(&*ann).await["event"], "exception");
    for n in 0..3 {
        ask(&*ann, &format!("made up {n}"), Value::Null).await.unwrap_err();
    }
    ask(&*ann, "panics", Value::Null).await.unwrap_err();
    say(&*ann, json!({ "event": "tell" })).await;
    for peer in [&ann, &bob] {
        assert_eq!(hear(&**peer).await, json!({ "event": "news", "data": 1 }));
    }
    say(&*ann, json!({ "event": "kick" })).await;
    while ann.recv().await.is_some() {}
    bob.close(1000, "").await;
    for _ in 0..2 {
        left.recv().await.unwrap();
    }
    // The door may say it at once, or behind an open connection.
    if let Ok(refused) = street.dial(door, &Arrive::at("/?refuse=1")).await {
        while refused.recv().await.is_some() {}
    }
}

fn expected() -> BTreeMap<String, u64> {
    [
        ("narthex_connections{adapter}", 0),
        ("narthex_connections_total{adapter}", 2),
        (r#"narthex_connections_refused_total{adapter,namespace="/",status="403"}"#, 1),
        (r#"narthex_disconnects_total{adapter,reason="disconnected"}"#, 1),
        (r#"narthex_disconnects_total{adapter,reason="client_closed"}"#, 1),
        (r#"narthex_messages_received_total{event="hello",outcome="ok"}"#, 2),
        (r#"narthex_messages_received_total{event="double",outcome="ok"}"#, 4),
        (r#"narthex_messages_received_total{event="double",outcome="bad_request"}"#, 2),
        (r#"narthex_messages_received_total{event="_unknown",outcome="ok"}"#, 0),
        (r#"narthex_messages_received_total{event="_unknown",outcome="not_found"}"#, 3),
        (r#"narthex_messages_received_total{event="panics",outcome="ok"}"#, 0),
        (r#"narthex_messages_received_total{event="panics",outcome="internal"}"#, 1),
        (r#"narthex_messages_received_total{event="tell",outcome="ok"}"#, 1),
        (r#"narthex_messages_received_total{event="kick",outcome="ok"}"#, 1),
        (r#"narthex_handler_duration_seconds_count{event="hello"}"#, 2),
        (r#"narthex_handler_duration_seconds_count{event="double"}"#, 6),
        (r#"narthex_handler_duration_seconds_count{event="_unknown"}"#, 3),
        (r#"narthex_handler_duration_seconds_count{event="panics"}"#, 1),
        (r#"narthex_handler_duration_seconds_count{event="tell"}"#, 1),
        (r#"narthex_handler_duration_seconds_count{event="kick"}"#, 1),
        (r#"narthex_messages_sent_total{event="news"}"#, 1),
        (r#"narthex_deliveries_total{event="news"}"#, 2),
        (r#"narthex_messages_sent_total{event="exception"}"#, 1),
        (r#"narthex_deliveries_total{event="exception"}"#, 1),
        (r#"narthex_messages_sent_total{event="_ack"}"#, 5),
        (r#"narthex_deliveries_total{event="_ack"}"#, 5),
        (r#"narthex_messages_sent_total{event="_error"}"#, 5),
        (r#"narthex_deliveries_total{event="_error"}"#, 5),
        ("narthex_outbox_messages", 0),
        ("narthex_outbox_bytes", 0),
        ("narthex_outbox_dropped_total", 0),
        ("narthex_outbox_overflowed_total", 0),
        ("narthex_messages_overloaded_total", 0),
        ("narthex_bad_frames_total", 0),
        ("narthex_values_dropped_total", 0),
        ("narthex_panics_total", 1),
    ]
    .map(|(series, value)| (series.to_owned(), value))
    .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_behind_every_door_has_the_numbers_of_the_transcript() {
    let recorded = ["ws", "socketio", "sse", "memory"].map(|door| {
        let recorder = PrometheusBuilder::new().build_recorder();
        (door, recorder.handle(), MetricsLayer::with_recorder(recorder))
    });
    let of = |door| recorded.iter().find(|(name, ..)| *name == door).unwrap();
    let (tell, mut left) = mpsc::unbounded_channel();
    let server = |door| {
        let (_, _, metrics) = of(door);
        Server::new(gateway(tell.clone())).observe(metrics.clone()).message_layer(metrics.clone())
    };
    for street in kit::open_each(server).await {
        let door = street.doors()[0];
        let (_, handle, metrics) = of(door);
        transcript(&street, door, &mut left).await;
        let server = street.bound.handle();
        street.bound.drain().await.unwrap();
        metrics.collect(&server);
        assert_eq!(scrape(handle, door), expected(), "{door}");
    }
}
