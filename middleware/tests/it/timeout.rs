use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt, stream};
use narthex_core::{Ack, Denied, Emit, Event, FromEvent, Gateway, Handler, Streamed, TestServer};
use narthex_middleware::TimeoutLayer;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const TOO_LONG: &str = "The handler took too long";

async fn never() {
    pending().await
}

async fn refused(client: &mut narthex_core::TestClient, event: &str) -> Value {
    client.ask_value(event, &()).await.unwrap().unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_answered_and_dropped_and_the_next_message_is_handled() {
    let (held, mut dropped) = mpsc::channel::<()>(1);
    let held = Arc::new(Mutex::new(Some(held)));
    let hold = move || {
        // Nobody has it but the call.
        let held = held.lock().unwrap().take();
        async move {
            let _held = held;
            pending::<()>().await
        }
    };
    let gateway =
        Gateway::new().layer(TimeoutLayer::new(SECOND)).on("hold", hold).on("echo", async || "here");
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let start = Instant::now();
    client.emit("hold", &()).await.unwrap();
    assert_eq!(client.ask::<String>("echo", &()).await.unwrap(), "here");
    assert_eq!(client.expect("exception").await.unwrap(), json!({ "status": "error", "message": TOO_LONG }));
    assert!(start.elapsed() < 2 * SECOND);
    assert_eq!(dropped.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_has_answered_by_itself_is_told_of_as_an_exception() {
    let answers = |ack: Ack| async {
        ack.send("mine").unwrap();
        pending::<()>().await
    };
    let waits = |ack: Ack| async {
        let _ack = ack;
        pending::<()>().await
    };
    let gateway = Gateway::new().layer(TimeoutLayer::new(SECOND)).on("answers", answers).on("waits", waits);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("answers", &()).await.unwrap(), "mine");
    assert_eq!(client.expect("exception").await.unwrap()["message"], TOO_LONG);
    assert_eq!(refused(&mut client, "waits").await["message"], TOO_LONG);
}

#[tokio::test(start_paused = true)]
async fn a_guard_or_an_extractor_that_never_answers_is_answered_for() {
    struct Never;
    impl FromEvent for Never {
        type Rejection = Denied;

        async fn from_event(_: &mut Event) -> Result<Self, Denied> {
            pending().await
        }
    }
    let gateway = Gateway::new()
        .layer(TimeoutLayer::new(SECOND))
        .on("guard", (async || "passed").guard(never))
        .on("extractor", |_: Never| async { "made" });
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    for event in ["guard", "extractor"] {
        assert_eq!(refused(&mut client, event).await["message"], TOO_LONG, "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_time_is_left_alone_and_the_inner_layer_has_the_shorter_time() {
    let slow = async || {
        sleep(2 * SECOND).await;
        "done"
    };
    let gateway = Gateway::new()
        .layer(TimeoutLayer::new(3 * SECOND))
        .on("in time", slow)
        .on("too late", slow.layer(TimeoutLayer::new(SECOND)))
        .on("for ever", slow.layer(TimeoutLayer::new(Duration::MAX)));
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("in time", &()).await.unwrap(), "done");
    assert_eq!(client.ask::<String>("for ever", &()).await.unwrap(), "done");
    assert_eq!(refused(&mut client, "too late").await["message"], TOO_LONG);
}

#[tokio::test]
async fn a_handler_that_is_always_busy_is_cut_off_too() {
    let busy = async || {
        loop {
            tokio::task::consume_budget().await;
        }
        #[allow(unreachable_code, reason = "it names the result")]
        ()
    };
    let layer = TimeoutLayer::new(Duration::from_millis(5));
    let server = TestServer::new(Gateway::new().on("busy", busy.layer(layer))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let start = SystemTime::now();
    assert_eq!(refused(&mut client, "busy").await["message"], TOO_LONG);
    assert!(start.elapsed().unwrap() < 8 * SECOND);
}

/// Ticks with a second between, and then nothing for ever.
async fn ticks() -> Streamed {
    let ticks = stream::iter(0..3).then(|n| async move {
        sleep(SECOND).await;
        Emit::new("tick", &n)
    });
    Streamed::new(ticks.chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_stream_have_a_time_of_their_own_where_they_are_given_one() {
    let layer = TimeoutLayer::new(SECOND / 2).items(2 * SECOND);
    let server = TestServer::new(Gateway::new().on("ticks", ticks.layer(layer))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let start = Instant::now();
    client.emit("ticks", &()).await.unwrap();
    for n in 0..3 {
        assert_eq!(client.expect("tick").await.unwrap(), n);
    }
    assert_eq!(client.expect("exception").await.unwrap()["message"], TOO_LONG);
    let took = start.elapsed();
    assert!(took >= 5 * SECOND && took < 6 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_bounded_by_the_time_of_its_call() {
    let layer = TimeoutLayer::new(SECOND / 2);
    let server = TestServer::new(Gateway::new().on("ticks", ticks.layer(layer))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("ticks", &()).await.unwrap();
    for n in 0..3 {
        assert_eq!(client.expect("tick").await.unwrap(), n);
    }
    // Nothing comes any more, in all the time that a test waits.
    assert_eq!(client.next().await.unwrap_err().kind(), narthex_core::ErrorKind::Timeout);
}
