use futures_util::stream;
use narthex_core::{Denied, DeniedKind, Emit, Failed, Gateway, Handler, Reply, Server, Streamed, TestServer};
use serde_json::{Value, json};

use super::served;

async fn fails() -> Result<(), Denied> {
    Err(Denied::bad_request("no"))
}

#[tokio::test(start_paused = true)]
async fn the_handlers_filter_goes_before_the_gateways_and_that_before_the_servers() {
    let gateway = |filtered: bool| {
        let gateway = Gateway::new()
            .namespace(if filtered { "/filtered" } else { "/" })
            .on("own", fails.filter(async |_: Denied, _: Failed| "the handler's"))
            .on("plain", fails);
        if filtered { gateway.filter(async |_: Denied, _: Failed| "the gateway's") } else { gateway }
    };
    let server = Server::new(gateway(false))
        .gateway(gateway(true))
        .filter(async |_: Denied, _: Failed| "the server's");
    let server = TestServer::of(server).await.unwrap();
    for (path, event, answer) in [
        ("/", "own", "the handler's"),
        ("/", "plain", "the server's"),
        ("/", "nobody", "the server's"),
        ("/filtered", "own", "the handler's"),
        ("/filtered", "plain", "the gateway's"),
        ("/filtered", "nobody", "the gateway's"),
    ] {
        let mut client = server.connect_to(path).await.unwrap();
        assert_eq!(client.ask::<String>(event, &0).await.unwrap(), answer, "{path} {event}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_sees_the_failure_and_the_message_that_failed() {
    async fn look(denied: Denied, failed: Failed) -> Emit {
        let kind = denied.kind() == DeniedKind::BadRequest;
        let payload: Value = failed.payload.parse().unwrap();
        Emit::new("failed", &json!([kind, denied.message(), failed.event.as_str(), payload]))
    }
    let mut served = served(Gateway::new().on("fails", fails).filter(look)).await;
    assert_eq!(served.ask("fails", json!({"a": 1})).await, Value::Null);
    let told = served.client.expect("failed").await.unwrap();
    assert_eq!(told, json!([true, "no", "fails", {"a": 1}]));
}

#[tokio::test(start_paused = true)]
async fn a_filter_may_refuse_in_other_words() {
    async fn reword(denied: Denied, _: Failed) -> Denied {
        Denied::forbidden(format!("{}, sorry", denied.message()))
    }
    let mut served = served(Gateway::new().on("fails", fails).filter(reword)).await;
    assert_eq!(served.refused("fails", Value::Null).await, "no, sorry");
    served.client.emit("fails", &0).await.unwrap();
    assert_eq!(served.client.expect("exception").await.unwrap()["message"], "no, sorry");
}

#[tokio::test(start_paused = true)]
async fn a_filter_sees_refused_guards_and_failed_extractors_and_not_success() {
    async fn admin() -> bool {
        false
    }
    async fn number(narthex_core::Json(n): narthex_core::Json<u8>) -> u8 {
        n
    }
    let gateway = Gateway::new()
        .on("guarded", number.guard(admin))
        .on("number", number)
        .filter(async |denied: Denied, _: Failed| format!("{:?}", denied.kind()));
    let mut served = served(gateway).await;
    assert_eq!(served.ask("guarded", json!(1)).await, json!("Forbidden"));
    assert_eq!(served.ask("number", json!("x")).await, json!("BadRequest"));
    assert_eq!(served.ask("number", json!(1)).await, json!(1));
}

#[tokio::test(start_paused = true)]
async fn a_streams_error_goes_through_its_handlers_filter_and_ends_it() {
    async fn numbers() -> Streamed {
        Streamed::new(stream::iter([
            Ok(Emit::new("n", &1)),
            Err(Denied::bad_request("no")),
            Ok(Emit::new("n", &2)),
        ]))
    }
    async fn emit(_: Denied, _: Failed) -> Emit {
        Emit::bare("filtered")
    }
    let mut served = served(Gateway::new().on("numbers", numbers.filter(emit))).await;
    assert_eq!(served.ask("numbers", Value::Null).await, Value::Null);
    assert_eq!(served.client.expect("n").await.unwrap(), json!(1));
    served.client.expect("filtered").await.unwrap();
    assert!(served.client.next().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_leaves_an_error_goes_to_the_next_outer_one() {
    fn adds(
        word: &'static str,
    ) -> impl Fn(Denied, Failed) -> std::future::Ready<Denied> + Clone + Send + Sync {
        move |denied, _| std::future::ready(Denied::bad_request(format!("{denied}, {word}")))
    }
    async fn items() -> Streamed {
        Streamed::new(stream::iter([Ok(1), Err(Denied::bad_request("no"))]))
    }
    let gateway = Gateway::new()
        .filter(adds("gateway"))
        .on("fails", fails.filter(adds("handler")))
        .on("items", items.filter(adds("handler")));
    let server = TestServer::of(Server::new(gateway).filter(adds("server"))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let refused = client.ask::<()>("fails", &0).await.unwrap_err();
    assert_eq!(refused.to_string(), "no, handler, gateway, server");
    assert_eq!(client.ask::<u8>("items", &0).await.unwrap(), 1);
    assert_eq!(client.expect("exception").await.unwrap()["message"], "no, handler, gateway, server");
    assert_eq!(
        client.ask::<()>("nobody", &0).await.unwrap_err().to_string(),
        "Unknown event, gateway, server"
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_panics_is_made_up_for_by_the_next_outer_one() {
    async fn broken(_: Denied, _: Failed) {
        panic!("a filter was asked to panic");
    }
    let gateway = Gateway::new()
        .on("fails", fails.filter(broken))
        .filter(async |denied: Denied, _: Failed| format!("{:?}", denied.kind()));
    let mut served = served(gateway).await;
    assert_eq!(served.ask("fails", Value::Null).await, json!("Internal"));
}

#[tokio::test(start_paused = true)]
async fn a_filter_may_close() {
    let close = async |_: Denied, failed: Failed| failed.client.disconnect(4000, "enough");
    let mut served = served(Gateway::new().on("fails", fails).filter(close)).await;
    served.client.emit("fails", &0).await.unwrap();
    assert_eq!(served.client.closed().await.unwrap().code(), 4000);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_filter_is_an_internal_failure() {
    async fn broken(_: Denied, _: Failed) -> Reply {
        std::panic::resume_unwind(Box::new("a secret"))
    }
    let mut served = served(Gateway::new().on("fails", fails).filter(broken)).await;
    assert_eq!(served.refused("fails", Value::Null).await, "Internal server error");
    assert_eq!(served.server.stats().panics, 1);
}
