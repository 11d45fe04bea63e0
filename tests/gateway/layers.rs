use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use narthex_core::{Denied, Event, Gateway, Handler, Reply, Route, Server, State, TestServer};
use serde_json::{Value, json};
use tower::{Layer, Service, layer::layer_fn, limit::GlobalConcurrencyLimitLayer};

use super::served;

type Log = Arc<Mutex<Vec<String>>>;

/// A layer that notes when a call goes in and out.
#[derive(Clone)]
struct Noting(&'static str, Log);

#[derive(Clone)]
struct Noted<S>(Noting, S);

impl<S> Layer<S> for Noting {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted(self.clone(), inner)
    }
}

impl<S> Service<Event> for Noted<S>
where
    S: Service<Event, Response = Reply, Error = Infallible, Future: Send + 'static>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.1.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let Noting(name, log) = self.0.clone();
        log.lock().unwrap().push(format!("{name} in"));
        let call = self.1.call(event);
        Box::pin(async move {
            let reply = call.await?;
            let failed = if reply.denied().is_some() { " failed" } else { "" };
            log.lock().unwrap().push(format!("{name} out{failed}"));
            Ok(reply)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn layers_run_from_the_server_to_the_handler_and_the_first_added_is_outermost() {
    let log = Log::default();
    let note = |name| Noting(name, Arc::clone(&log));
    async fn guard(State(log): State<Log>) {
        log.lock().unwrap().push("guard".to_owned());
    }
    async fn handler(State(log): State<Log>) {
        log.lock().unwrap().push("handler".to_owned());
    }
    let gateway = Gateway::new()
        .on("e", handler.layer(note("h1")).layer(note("h2")))
        .layer(note("g1"))
        .layer(note("g2"))
        .guard(guard)
        .state(Arc::clone(&log));
    let server = Server::new(gateway).message_layer(note("s1")).message_layer(note("s2"));
    let server = TestServer::of(server).await.unwrap();
    server.connect().await.unwrap().ask::<Value>("e", &0).await.unwrap();
    let wanted = [
        "s1 in", "s2 in", "g1 in", "g2 in", "h1 in", "h2 in", "guard", "handler", "h2 out", "h1 out",
        "g2 out", "g1 out", "s2 out", "s1 out",
    ];
    assert_eq!(*log.lock().unwrap(), wanted);
}

#[tokio::test(start_paused = true)]
async fn layers_see_failures_although_the_service_is_infallible() {
    let log = Log::default();
    async fn fails() -> Result<(), Denied> {
        Err(Denied::bad_request("no"))
    }
    let gateway = Gateway::new().on("fails", fails).layer(Noting("g", Arc::clone(&log)));
    let mut served = served(gateway).await;
    assert_eq!(served.refused("fails", Value::Null).await, "no");
    assert_eq!(*log.lock().unwrap(), ["g in", "g out failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_servers_layer_sees_unknown_events_too() {
    let log = Log::default();
    let server = Server::new(Gateway::new()).message_layer(Noting("s", Arc::clone(&log)));
    let server = TestServer::of(server).await.unwrap();
    server.connect().await.unwrap().ask::<Value>("nobody", &0).await.unwrap_err();
    assert_eq!(*log.lock().unwrap(), ["s in", "s out failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_made_once_for_all_handlers_of_a_gateway() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let layer = layer_fn(move |route: Route| {
        count.fetch_add(1, Ordering::Relaxed);
        route
    });
    let gateway = Gateway::new().on("a", async || 1).on("b", async || 2).on("c.{n}", async || 3).layer(layer);
    let mut served = served(gateway).await;
    for event in ["a", "b", "c.1"] {
        served.ask(event, Value::Null).await;
    }
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_is_shared_by_all_handlers_and_clients() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (runs, top) = (Arc::clone(&running), Arc::clone(&most));
    let busy = move || {
        let (runs, top) = (Arc::clone(&runs), Arc::clone(&top));
        async move {
            top.fetch_max(runs.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            runs.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let gateway = Gateway::new()
        .on("a", busy.clone().concurrent(8))
        .on("b", busy.concurrent(8))
        .layer(GlobalConcurrencyLimitLayer::new(2));
    let server = TestServer::new(gateway).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    let ask = async |client: &mut narthex_core::TestClient| {
        for event in ["a", "b", "a"] {
            client.emit(event, &0).await.unwrap();
        }
        client.ask::<Value>("b", &0).await.unwrap();
    };
    tokio::join!(ask(&mut one), ask(&mut two));
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_answer_by_itself_and_put_data_on_the_event() {
    #[derive(Clone)]
    struct Trace(u32);
    let layer = layer_fn(|route: Route| {
        tower::service_fn(move |mut event: Event| {
            let mut route = route.clone();
            event.extensions_mut().insert(Trace(7));
            async move {
                match event.name().as_str() {
                    "closed" => Ok(Reply::error(Denied::forbidden("closed on Sundays"))),
                    _ => route.call(event).await,
                }
            }
        })
    });
    async fn trace(narthex_core::Extension(trace): narthex_core::Extension<Trace>) -> u32 {
        trace.0
    }
    let mut served = served(Gateway::new().on("trace", trace).on("closed", trace).layer(layer)).await;
    assert_eq!(served.ask("trace", Value::Null).await, json!(7));
    assert_eq!(served.refused("closed", Value::Null).await, "closed on Sundays");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_layer_is_answered_like_any_other() {
    let layer = layer_fn(|_: Route| {
        tower::service_fn(|_: Event| -> std::future::Ready<Result<Reply, Infallible>> {
            std::panic::resume_unwind(Box::new("a secret"))
        })
    });
    let mut served = served(Gateway::new().on("e", (async || 1).layer(layer)).on("f", async || 2)).await;
    assert_eq!(served.refused("e", Value::Null).await, "Internal server error");
    assert_eq!(served.ask("f", Value::Null).await, json!(2));
    assert_eq!(served.server.stats().panics, 1);
}
