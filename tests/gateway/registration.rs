use narthex_core::{Denied, Emit, ErrorKind, EventName, Gateway, Server, State, TestServer};
use serde_json::{Value, json};

use super::{Served, refusal, served};

async fn both(gateways: [Gateway; 2]) -> Served {
    let [one, two] = gateways;
    let server = TestServer::of(Server::new(one).gateway(two)).await.unwrap();
    let client = server.connect().await.unwrap();
    Served { server, client }
}

#[tokio::test(start_paused = true)]
async fn two_gateways_on_one_namespace_both_run_in_order_and_the_first_value_answers() {
    let one = Gateway::new().on("e", async || Emit::new("from", &1)).on("v", async || "first");
    let two = Gateway::new().on("e", async || Emit::new("from", &2)).on("v", async || "second");
    let mut served = both([one, two]).await;
    served.client.emit("e", &0).await.unwrap();
    assert_eq!(served.client.expect("from").await.unwrap(), json!(1));
    assert_eq!(served.client.expect("from").await.unwrap(), json!(2));
    assert_eq!(served.ask("v", Value::Null).await, json!("first"));
    assert_eq!(served.server.stats().values_dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn each_gateway_has_states_of_its_own_before_the_servers() {
    async fn mine(State(mine): State<&'static str>) -> &'static str {
        mine
    }
    let one = Gateway::new().on("one", mine).state("one's");
    let two = Gateway::new().on("two", mine);
    let server = TestServer::of(Server::new(one).gateway(two).state("the server's")).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("one", &0).await.unwrap(), "one's");
    assert_eq!(client.ask::<String>("two", &0).await.unwrap(), "the server's");
}

#[tokio::test(start_paused = true)]
async fn a_gateways_pattern_and_the_others_name_both_run() {
    let one = Gateway::new().on("room.{id}", async || Emit::new("from", &1));
    let two = Gateway::new().on("room.7", async || Emit::new("from", &2));
    let mut served = both([one, two]).await;
    served.client.emit("room.7", &0).await.unwrap();
    assert_eq!(served.client.expect("from").await.unwrap(), json!(1));
    assert_eq!(served.client.expect("from").await.unwrap(), json!(2));
}

#[tokio::test(start_paused = true)]
async fn the_fallback_takes_what_nobody_is_for() {
    async fn echo(name: EventName) -> String {
        format!("no {name} here")
    }
    let mut served = served(Gateway::new().on("known", async || "known").fallback(echo)).await;
    assert_eq!(served.ask("known", Value::Null).await, json!("known"));
    assert_eq!(served.ask("unicorn", Value::Null).await, json!("no unicorn here"));
    let why = refusal(Gateway::new().fallback(echo).fallback(echo)).await;
    assert!(why.contains("two fallbacks"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn namespaces_that_are_no_paths_or_hard_to_tell_apart_are_refused() {
    for path in ["", "chat", "/a?b", "/a#b", "/a\n", "/game/{id", "/{a}/{a}"] {
        let why = refusal(Gateway::new().namespace(path)).await;
        assert!(!why.is_empty());
    }
    let server =
        Server::new(Gateway::new().namespace("/game/{id}")).gateway(Gateway::new().namespace("/game/{name}"));
    let why = TestServer::of(server).await.unwrap_err().to_string();
    assert!(why.contains("/game/{name}") && why.contains("parameter names"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn an_on_init_hook_that_refuses_keeps_the_server_from_starting() {
    async fn broken() -> Result<(), Denied> {
        Err(Denied::bad_request("no database"))
    }
    let why = refusal(Gateway::new().namespace("/db").on_init(broken)).await;
    assert!(why.contains("no database") && why.contains("/db"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_an_adapter_says_what_to_do() {
    let error = Server::new(Gateway::new()).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(".adapter("), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_test_kit_says_what_it_saw() {
    let mut served = served(Gateway::new().on("tell", async || narthex_core::Emit::new("told", &1))).await;
    assert_eq!(served.client.ask::<u8>("nobody", &0).await.unwrap_err().kind(), ErrorKind::Refused);
    served.client.emit("tell", &0).await.unwrap();
    let unexpected = served.client.expect("other").await.unwrap_err();
    assert_eq!(unexpected.kind(), ErrorKind::Refused);
    assert!(unexpected.to_string().contains("told"), "{unexpected}");
    assert_eq!(served.client.next().await.unwrap_err().kind(), ErrorKind::Timeout);
    let refused = served.server.connect_to("/nowhere").await.unwrap_err();
    assert_eq!((refused.kind(), refused.to_string().contains("404")), (ErrorKind::Refused, true));
    served.server.drain().await.unwrap();
    assert_eq!(served.client.closed().await.unwrap().code(), 1001);
    assert_eq!(served.client.emit("tell", &0).await.unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_gateway_does_not_take_the_others_reply_away() {
    async fn panics() {
        panic!("the first gateway fails");
    }
    let second = Gateway::new().on("both", async || Emit::new("second", &1));
    let server =
        TestServer::of(Server::new(Gateway::new().on("both", panics)).gateway(second)).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("both", &()).await.unwrap();
    assert_eq!(client.expect("exception").await.unwrap()["message"], "Internal server error");
    assert_eq!(client.expect("second").await.unwrap(), 1);
}
