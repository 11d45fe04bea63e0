use std::sync::{Arc, Mutex};

use narthex_core::{Attach, Denied, DeniedKind, Extension, Gateway, Handler, Server, State, TestServer};
use serde_json::{Value, json};

use super::served;

type Log = Arc<Mutex<Vec<&'static str>>>;

#[tokio::test(start_paused = true)]
async fn guards_run_from_the_server_to_the_handler_and_the_first_refusal_ends_it() {
    async fn server(State(log): State<Log>) {
        log.lock().unwrap().push("server");
    }
    async fn gateway(State(log): State<Log>) {
        log.lock().unwrap().push("gateway");
    }
    async fn handler(State(log): State<Log>) -> Result<(), Denied> {
        log.lock().unwrap().push("handler");
        Err(Denied::forbidden("so far"))
    }
    async fn never(State(log): State<Log>) {
        log.lock().unwrap().push("never");
    }
    let log = Log::default();
    let gateway = Gateway::new().on("e", never.guard(handler).guard(never)).guard(gateway);
    let server = Server::new(gateway).guard(server).state(Arc::clone(&log));
    let server = TestServer::of(server).await.unwrap();
    let refused = server.connect().await.unwrap().ask::<Value>("e", &0).await.unwrap_err();
    assert_eq!(refused.to_string(), "so far");
    assert_eq!(*log.lock().unwrap(), ["server", "gateway", "handler"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_guard_attaches_later_guards_and_the_handler_find() {
    async fn first() -> Attach<u8> {
        Attach(1)
    }
    async fn second(Extension(n): Extension<u8>) -> Result<Attach<u8>, Denied> {
        Ok(Attach(n + 1))
    }
    async fn handler(Extension(n): Extension<u8>) -> u8 {
        n
    }
    let mut served = served(Gateway::new().guard(first).on("e", handler.guard(second))).await;
    assert_eq!(served.ask("e", Value::Null).await, json!(2));
}

#[tokio::test(start_paused = true)]
async fn a_guard_of_the_gateway_does_not_guard_unknown_events_or_the_connect() {
    async fn closed() -> bool {
        false
    }
    let mut served = served(Gateway::new().guard(closed).on("e", async || 1)).await;
    assert_eq!(served.refused("e", Value::Null).await, "Forbidden resource");
    assert_eq!(served.refused("nobody", Value::Null).await, "Unknown event");
}

#[tokio::test(start_paused = true)]
async fn a_connect_guard_refuses_with_the_status_of_its_kind() {
    use DeniedKind::{Forbidden, Internal, NotFound, Overloaded, Unauthorized};
    use http::Request;
    let kinds = [(Unauthorized, 401), (Forbidden, 403), (NotFound, 404), (Internal, 500), (Overloaded, 503)];
    for (kind, status) in kinds {
        let guard = move || async move { Err::<(), _>(Denied::new(kind, "why")) };
        let server = TestServer::new(Gateway::new().connect_guard(guard)).await.unwrap();
        let refused = server.connect_with(Request::new(())).await.unwrap_err();
        assert_eq!(refused.status(), status);
        assert_eq!(server.stats().refused, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_takes_too_long_is_refused_with_408() {
    let gateway = Gateway::new().connect_guard(async || std::future::pending::<()>().await);
    let server = TestServer::new(gateway).await.unwrap();
    let refused = server.connect_with(http::Request::new(())).await.unwrap_err();
    assert_eq!((refused.status().as_u16(), server.stats().clients), (408, 0));
}
