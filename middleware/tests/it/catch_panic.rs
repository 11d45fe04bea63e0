use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    sync::{Arc, Mutex},
    task::Poll,
};

use narthex_core::{Event, Gateway, Handler, Reply, Route, TestServer};
use narthex_middleware::{CatchPanicLayer, map_reply};
use tower::{ServiceBuilder, layer::layer_fn};

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a secret");
    }
}

#[tokio::test(start_paused = true)]
async fn layers_outside_see_the_failed_reply_wherever_the_panic_comes_from() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let outside = map_reply(move |event: &Event| {
        let (log, name) = (Arc::clone(&log), event.name().to_string());
        move |reply: Reply| {
            log.lock().unwrap().push((name, reply.denied().is_some()));
            reply
        }
    });
    let in_call = layer_fn(|_: Route| {
        tower::service_fn(|_: Event| -> Ready<Result<Reply, Infallible>> { panic!("a secret") })
    });
    let at_once = async || -> u32 { panic!("a secret") };
    let later = async || -> u32 {
        tokio::task::yield_now().await;
        panic!("a secret")
    };
    let dropped = ServiceBuilder::new().layer(CatchPanicLayer::new()).layer(layer_fn(|_: Route| {
        tower::service_fn(|_: Event| {
            let bomb = PanicsWhenDropped;
            poll_fn(move |_| {
                let _ = &bomb;
                Poll::Ready(Ok::<_, Infallible>(Reply::none()))
            })
        })
    }));
    let gateway = Gateway::new()
        .layer(outside)
        .layer(CatchPanicLayer::new())
        .on("fine", || ready(1))
        .on("at once", at_once)
        .on("later", later)
        .on("in call", (async || 1).layer(in_call))
        .on("dropped", (async || 1).layer(dropped));
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let events = ["fine", "at once", "later", "in call", "dropped"];
    for event in events {
        let answer = client.ask_value(event, &()).await.unwrap();
        if matches!(event, "fine" | "dropped") {
            assert!(answer.is_ok(), "{event}: the reply was there");
        } else {
            assert_eq!(answer.unwrap_err()["message"], "Internal server error", "{event}");
        }
    }
    let failed = [("fine", false), ("at once", true), ("later", true), ("in call", true), ("dropped", false)];
    assert_eq!(*seen.lock().unwrap(), failed.map(|(event, failed)| (event.to_owned(), failed)));
}
