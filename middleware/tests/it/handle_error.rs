use std::{
    convert::Infallible,
    future::{Future, Ready, pending, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use narthex_core::{BoxError, Denied, DeniedKind, Emit, Event, Gateway, Handler, Reply, Route, TestServer};
use narthex_middleware::HandleErrorLayer;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::{
    Service, ServiceBuilder, layer::layer_fn, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer,
    timeout::TimeoutLayer,
};

async fn message_of(gateway: Gateway) -> Value {
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let error = client.ask_value("e", &()).await.unwrap().unwrap_err();
    // Whatever it was, it ended that call alone.
    assert!(client.ask_value("e", &()).await.unwrap().is_err());
    error["message"].clone()
}

#[tokio::test(start_paused = true)]
async fn towers_load_shed_and_concurrency_limit_fit_around_messages() {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&end));
    let work = move || {
        let (begun, end) = (Arc::clone(&begins), Arc::clone(&ends));
        async move {
            begun.notify_one();
            end.notified().await;
            "done"
        }
    };
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::tower())
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let server = TestServer::new(Gateway::new().layer(stack).on("work", work)).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    one.emit("work", &()).await.unwrap();
    begun.notified().await;
    let error = two.ask_value("work", &()).await.unwrap();
    assert_eq!(error, Err(json!({ "status": "error", "message": "Overloaded" })));
    // Who has said that it may end, ends the first and the next.
    end.notify_one();
    let asked = tokio::join!(two.ask_value("work", &()), async {
        begun.notified().await;
        end.notify_one();
    });
    assert_eq!(asked.0.unwrap(), Ok(json!("done")));
}

#[tokio::test(start_paused = true)]
async fn towers_timeout_fits_around_messages() {
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::default())
        .layer(TimeoutLayer::new(Duration::from_secs(1)));
    let message = message_of(Gateway::new().on("e", (async || pending::<()>().await).layer(stack))).await;
    assert_eq!(message, "The handler took too long");
}

#[tokio::test(start_paused = true)]
async fn an_async_fn_says_what_an_error_means() {
    async fn busy(error: BoxError) -> Denied {
        tokio::task::yield_now().await;
        Denied::new(DeniedKind::Overloaded, "Come back later").with_source(error)
    }
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(busy))
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(64))
        .layer(TimeoutLayer::new(Duration::from_secs(1)));
    let gateway = Gateway::new().layer(stack).on("e", async || pending::<()>().await);
    assert_eq!(message_of(gateway).await, "Come back later");
}

#[tokio::test(start_paused = true)]
async fn an_error_may_be_answered_with_anything_that_a_handler_may_return() {
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { Emit::bare("busy") }))
        .layer(TimeoutLayer::new(Duration::from_secs(1)));
    let gateway = Gateway::new().layer(stack).on("e", async || pending::<()>().await);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("e", &()).await.unwrap();
    assert_eq!(client.next().await.unwrap().event, "busy");
}

/// Fails when it is asked whether it is ready, or when it is called.
#[derive(Clone)]
struct Failing {
    when_called: bool,
}

impl Service<Event> for Failing {
    type Response = Reply;
    type Error = BoxError;
    type Future = Ready<Result<Reply, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(if self.when_called { Ok(()) } else { Err("a secret".into()) })
    }

    fn call(&mut self, _: Event) -> Self::Future {
        ready(Err("a secret".into()))
    }
}

fn failing<F, Fut>(handle: HandleErrorLayer<F>, when_called: bool) -> Gateway
where
    F: Fn(BoxError) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Denied> + Send + 'static,
{
    let fails = layer_fn(move |_: Route| Failing { when_called });
    let stack = ServiceBuilder::new().layer(handle).layer(fails);
    Gateway::new().on("e", (async || 1).layer(stack))
}

#[tokio::test(start_paused = true)]
async fn an_error_that_nobody_knows_is_internal_whether_of_the_call_or_of_readiness() {
    for when_called in [false, true] {
        let message = message_of(failing(HandleErrorLayer::tower(), when_called)).await;
        assert_eq!(message, "Internal server error", "{when_called}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_fn_is_answered_as_one_of_the_handler() {
    let at_once = HandleErrorLayer::new(|_| -> Ready<Denied> { panic!("a secret") });
    assert_eq!(message_of(failing(at_once, true)).await, "Internal server error");
    let later = HandleErrorLayer::new(async |_| -> Denied { panic!("a secret") });
    assert_eq!(message_of(failing(later, true)).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn failures_of_handlers_are_replies_and_do_not_come_here() {
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { Denied::bad_request("it came here") }))
        .layer(TimeoutLayer::new(Duration::from_secs(1)));
    let no = async || Err::<(), _>(Denied::bad_request("no"));
    assert_eq!(message_of(Gateway::new().layer(stack).on("e", no)).await, "no");
}

#[tokio::test(start_paused = true)]
async fn infallible_layers_need_no_handler_but_may_have_one() {
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |never: Infallible| -> Denied { match never {} }))
        .layer(ConcurrencyLimitLayer::new(1));
    let server = TestServer::new(Gateway::new().layer(stack).on("e", async || 1)).await.unwrap();
    assert_eq!(server.connect().await.unwrap().ask::<u32>("e", &()).await.unwrap(), 1);
}
