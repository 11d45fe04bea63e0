use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use http::Request;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use narthex_core::{
    BoundServer, Client, Denied, Emit, Event, Failed, Frame, Gateway, Handler, Json, Limits, Memory,
    MemoryConnector, Reply, Server, ServerHandle, TestServer,
};
use narthex_middleware::{
    MetricsLayer,
    from_fn::{Next, from_fn},
};
use tokio::sync::Notify;
use tower::{Layer, Service, service_fn};

fn recorded() -> (MetricsLayer, PrometheusHandle) {
    let buckets = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &[0.01, 0.1])
        .unwrap();
    let recorder = buckets.build_recorder();
    let handle = recorder.handle();
    (MetricsLayer::with_recorder(recorder), handle)
}

async fn serve(gateway: Gateway, metrics: &MetricsLayer) -> TestServer {
    let server = Server::new(gateway).observe(metrics.clone()).message_layer(metrics.clone());
    TestServer::of(server).await.unwrap()
}

/// The series whose name begins so, without that beginning.
fn scrape(handle: &PrometheusHandle, name: &str) -> BTreeMap<String, f64> {
    let text = handle.render();
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
    lines.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
}

fn expected<const N: usize>(series: [(&str, f64); N]) -> BTreeMap<String, f64> {
    series.map(|(series, value)| (series.to_owned(), value)).into()
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_by_registered_event_and_outcome_and_peers_make_no_labels() {
    let (metrics, handle) = recorded();
    let gateway = Gateway::new()
        .on("double", |Json(n): Json<u64>| async move { n * 2 })
        .on("user.{id}", async || Err::<(), _>(Denied::forbidden("no")));
    let server = serve(gateway, &metrics).await;
    let mut client = server.connect().await.unwrap();
    client.ask::<u64>("double", &1).await.unwrap();
    client.ask::<u64>("double", &2).await.unwrap();
    client.ask::<u64>("double", "two").await.unwrap_err();
    for n in 0..200 {
        client.ask::<()>(&format!("user.{n}"), &()).await.unwrap_err();
        client.ask::<()>(&format!("invented-{n}"), &()).await.unwrap_err();
    }
    client.send_frame(Frame::text("{")).await.unwrap();
    client.expect("exception").await.unwrap();
    let counted = scrape(&handle, "narthex_messages_received_total");
    // The first of an event makes the series of its good outcome too.
    let series = expected([
        (r#"{event="double",outcome="ok"}"#, 2.0),
        (r#"{event="double",outcome="bad_request"}"#, 1.0),
        (r#"{event="user.{id}",outcome="ok"}"#, 0.0),
        (r#"{event="user.{id}",outcome="forbidden"}"#, 200.0),
        (r#"{event="_unknown",outcome="ok"}"#, 0.0),
        (r#"{event="_unknown",outcome="not_found"}"#, 200.0),
        (r#"{event="_unreadable",outcome="ok"}"#, 0.0),
        (r#"{event="_unreadable",outcome="bad_request"}"#, 1.0),
    ]);
    assert_eq!(counted, series);
}

#[tokio::test(start_paused = true)]
async fn a_filters_reply_counts_as_the_failure_and_a_panic_and_a_dropped_call_are_counted() {
    let (metrics, handle) = recorded();
    let begun = Arc::new(Notify::new());
    let begin = Arc::clone(&begun);
    let endless = move || {
        let begin = Arc::clone(&begin);
        async move {
            begin.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let filter = |_: Denied, _: Failed| async { Emit::new("error", &"sorry") };
    let fails = async || Err::<(), _>(Denied::forbidden("no"));
    let gateway = Gateway::new()
        .on("filtered", fails.filter(filter))
        .on("panics", async || -> () { panic!("asked to") })
        .on("endless", endless.latest());
    let server = serve(gateway, &metrics).await;
    let mut client = server.connect().await.unwrap();
    client.emit("filtered", &()).await.unwrap();
    client.expect("error").await.unwrap();
    client.ask::<()>("panics", &()).await.unwrap_err();
    for _ in 0..2 {
        client.emit("endless", &()).await.unwrap();
        begun.notified().await;
    }
    let mut counted = scrape(&handle, "narthex_messages_received_total");
    counted.retain(|_, value| *value > 0.0);
    let series = expected([
        (r#"{event="filtered",outcome="forbidden"}"#, 1.0),
        (r#"{event="panics",outcome="internal"}"#, 1.0),
        (r#"{event="endless",outcome="cancelled"}"#, 1.0),
    ]);
    assert_eq!(counted, series);
}

#[tokio::test(start_paused = true)]
async fn how_long_a_message_took_goes_to_its_events_histogram() {
    let (metrics, handle) = recorded();
    let gateway = Gateway::new().on("slow", async || tokio::time::sleep(Duration::from_millis(50)).await);
    let server = serve(gateway, &metrics).await;
    server.connect().await.unwrap().ask::<()>("slow", &()).await.unwrap();
    let series = expected([
        (r#"_bucket{event="slow",le="0.01"}"#, 0.0),
        (r#"_bucket{event="slow",le="0.1"}"#, 1.0),
        (r#"_bucket{event="slow",le="+Inf"}"#, 1.0),
        (r#"_sum{event="slow"}"#, 0.05),
        (r#"_count{event="slow"}"#, 1.0),
    ]);
    assert_eq!(scrape(&handle, "narthex_handler_duration_seconds"), series);
}

#[tokio::test(start_paused = true)]
async fn connections_refusals_and_disconnects_are_counted_by_adapter() {
    let (metrics, handle) = recorded();
    let refusing = Gateway::new().namespace("/late/{id}").connect_guard(async || false);
    let server = Server::new(Gateway::new()).gateway(refusing).observe(metrics);
    let server = TestServer::of(server).await.unwrap();
    let mut leaving = server.connect().await.unwrap();
    let _staying = server.connect().await.unwrap();
    for path in ["/late/1", "/late/2", "/nowhere/1"] {
        server.connect_to(path).await.unwrap_err();
    }
    leaving.close(4321, "who knows what");
    leaving.closed().await;
    let count = |name| scrape(&handle, name);
    assert_eq!(count("narthex_connections{"), expected([(r#"adapter="memory"}"#, 1.0)]));
    assert_eq!(count("narthex_connections_total"), expected([(r#"{adapter="memory"}"#, 2.0)]));
    let refused = expected([
        (r#"{adapter="memory",namespace="/late/{id}",status="403"}"#, 2.0),
        (r#"{adapter="memory",namespace="_unknown",status="404"}"#, 1.0),
    ]);
    assert_eq!(count("narthex_connections_refused_total"), refused);
    server.drain().await.unwrap();
    assert_eq!(count("narthex_connections{"), expected([(r#"adapter="memory"}"#, 0.0)]));
    let left = expected([
        (r#"{adapter="memory",reason="client_closed"}"#, 1.0),
        (r#"{adapter="memory",reason="draining"}"#, 1.0),
    ]);
    assert_eq!(count("narthex_disconnects_total"), left);
}

#[tokio::test(start_paused = true)]
async fn outgoing_names_are_labels_up_to_a_number_and_a_broadcast_is_one_message_and_many_deliveries() {
    let (metrics, handle) = recorded();
    let tell = |client: Client, Json(name): Json<String>| async move {
        client.hub().emit(&name, &1).map(|_| ()).map_err(Denied::from)
    };
    let gateway = Gateway::new().on("tell", tell);
    let server = serve(gateway, &metrics.outgoing_events(2)).await;
    let mut ann = server.connect().await.unwrap();
    let _bob = server.connect().await.unwrap();
    for name in ["news", "more", "third", "fourth", "news"] {
        ann.ask::<()>("tell", name).await.unwrap();
    }
    ann.ask::<()>("nobody", &()).await.unwrap_err();
    let sent = [("news", 2.0), ("more", 1.0), ("_other", 2.0), ("_ack", 5.0), ("_error", 1.0)];
    let series = |each: fn(&str) -> f64| {
        sent.map(|(event, n)| (format!(r#"{{event="{event}"}}"#), n * each(event))).into()
    };
    assert_eq!(scrape(&handle, "narthex_messages_sent_total"), series(|_| 1.0));
    let each = |event: &str| if event == "_ack" || event == "_error" { 1.0 } else { 2.0 };
    assert_eq!(scrape(&handle, "narthex_deliveries_total"), series(each));
}

async fn open(server: Server) -> (BoundServer, MemoryConnector) {
    let memory = Memory::new();
    let connector = memory.connector();
    (server.adapter(memory).open().await.unwrap(), connector)
}

#[tokio::test(start_paused = true)]
async fn what_the_server_counts_and_what_waits_is_collected_and_counted_once() {
    let (metrics, handle) = recorded();
    let flood = |client: Client| async move { while client.emit("flood", &"0123456789").is_ok() {} };
    let gateway = Gateway::new().on("flood", flood).on("panics", async || -> () { panic!("asked to") });
    let server = Server::new(gateway).limits(Limits::default().outbox(16, 1024));
    let (bound, connector) = open(server).await;
    let server = bound.handle();
    let arrive = async || connector.connect(Request::get("/").body(()).unwrap()).await.unwrap();
    let send = |event: &str| Frame::text(format!(r#"{{"event":"{event}","id":1}}"#));

    metrics.collect(&server);
    let count = |name| scrape(&handle, name).values().copied().collect::<Vec<_>>();
    assert_eq!(count("narthex_panics_total"), [0.0]);

    let mut peer = arrive().await;
    for frame in [send("panics"), Frame::text("{")] {
        peer.send(frame).await.unwrap();
        peer.recv().await.unwrap();
    }
    peer.send(send("flood")).await.unwrap();
    while peer.recv().await.is_some() {}
    metrics.collect(&server);
    metrics.collect(&server);
    for name in ["narthex_panics_total", "narthex_bad_frames_total", "narthex_outbox_overflowed_total"] {
        assert_eq!(count(name), [1.0], "{name}");
    }
    bound.drain().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_outboxes_is_a_gauge_over_all_clients() {
    let (metrics, handle) = recorded();
    let server = Arc::new(OnceLock::<ServerHandle>::new());
    let (known, collected) = (Arc::clone(&server), metrics.clone());
    // Nothing is written while a handler has not returned.
    let look = move |client: Client| {
        for n in 0..3 {
            client.emit("news", &n).unwrap();
        }
        client.broadcast().emit("news", &3).unwrap();
        collected.collect(known.get().unwrap());
        async {}
    };
    let (bound, connector) = open(Server::new(Gateway::new().on("look", look))).await;
    server.set(bound.handle()).unwrap();
    let arrive = async || connector.connect(Request::get("/").body(()).unwrap()).await.unwrap();
    let (mut ann, mut bob) = (arrive().await, arrive().await);
    ann.send(Frame::text(r#"{"event":"look","id":1}"#)).await.unwrap();
    bob.recv().await.unwrap();
    for _ in 0..4 {
        ann.recv().await.unwrap();
    }
    let gauge = |name| scrape(&handle, name).values().copied().sum::<f64>();
    assert_eq!(gauge("narthex_outbox_messages"), 4.0);
    assert_eq!(gauge("narthex_outbox_bytes"), 4.0 * f64::from(r#"{"event":"news","data":0}"#.len() as u32));
    metrics.collect(&bound.handle());
    assert_eq!((gauge("narthex_outbox_messages"), gauge("narthex_outbox_bytes")), (0.0, 0.0));
    bound.drain().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn metrics_of_an_installed_recorder_are_described() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // As an installed one, for as long as the closure runs.
    metrics::with_local_recorder(&recorder, || {
        let _ = MetricsLayer::new();
        metrics::counter!("narthex_panics_total").increment(0);
    });
    assert!(handle.render().contains("# HELP narthex_panics_total Panics that were caught."));
}

type Done = Ready<Result<Reply, Infallible>>;

/// The cost of the layer alone, in this process: `cargo test --release -p narthex-middleware --all-features --test it --
/// --ignored --nocapture cost_of`.
#[tokio::test]
#[ignore = "a measurement, to be run by hand"]
async fn cost_of_a_message() {
    const MESSAGES: u32 = 2_000_000;
    async fn run(
        service: &mut impl Service<Event, Response = Reply, Error = Infallible>,
        event: &Event,
    ) -> f64 {
        let began = Instant::now();
        for _ in 0..MESSAGES {
            std::hint::black_box(service.call(event.clone()).await.unwrap());
        }
        began.elapsed().as_nanos() as f64 / f64::from(MESSAGES)
    }
    let (metrics, handle) = recorded();
    let measure = from_fn(move |event: Event, _: Next| {
        let mut bare = service_fn(|_: Event| -> Done { ready(Ok(Reply::none())) });
        let mut counted = metrics.layer(bare);
        let handle = handle.clone();
        async move {
            for _ in 0..3 {
                let (bare, counted) = (run(&mut bare, &event).await, run(&mut counted, &event).await);
                handle.run_upkeep();
                println!("{:.0} ns a message", counted - bare);
            }
        }
    });
    let server = TestServer::new(Gateway::new().layer(measure).on("go", async || {})).await.unwrap();
    server.connect().await.unwrap().ask::<()>("go", &()).await.unwrap();
}
