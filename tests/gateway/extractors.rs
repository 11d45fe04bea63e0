use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Extensions, Request};
use http_body_util::Empty;
use narthex_core::{
    Ack, Attach, Client, CloseReason, Denied, Event, EventName, Extension, FromEvent, Gateway, Handler,
    Handshake, Hub, Json, Path, Payload, Query, State,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::util::MapRequestLayer;

use super::{refusal, served, served_at};

#[tokio::test(start_paused = true)]
async fn json_reads_the_payload_and_null_where_there_is_none() {
    async fn optional(Json(n): Json<Option<u8>>) -> Json<Option<u8>> {
        Json(n)
    }
    let mut served = served(Gateway::new().on("n", optional)).await;
    assert_eq!(served.ask("n", json!(7)).await, json!(7));
    assert_eq!(served.ask("n", Value::Null).await, Value::Null);
    assert_eq!(served.refused("n", json!("seven")).await, "The payload does not have the expected shape");
}

#[tokio::test(start_paused = true)]
async fn path_reads_the_namespace_then_the_pattern_as_a_struct_a_tuple_or_a_map() {
    #[derive(Deserialize)]
    struct Move {
        game: u32,
        piece: String,
    }
    async fn by_name(Path(m): Path<Move>) -> Json<(u32, String)> {
        Json((m.game, m.piece))
    }
    async fn by_order(Path((game, piece)): Path<(u32, String)>) -> Json<(u32, String)> {
        Json((game, piece))
    }
    async fn as_map(Path(map): Path<std::collections::BTreeMap<String, String>>) -> Json<Value> {
        Json(json!(map))
    }
    async fn namespace_only(Path(game): Path<u32>) -> u32 {
        game
    }
    let gateway = Gateway::new()
        .namespace("/game/{game}")
        .on("move.{piece}", by_name)
        .on("order.{piece}", by_order)
        .on("map.{piece}", as_map)
        .on("which", namespace_only);
    let mut served = served_at(gateway, "/game/7").await;
    assert_eq!(served.ask("move.rook", Value::Null).await, json!([7, "rook"]));
    assert_eq!(served.ask("order.rook", Value::Null).await, json!([7, "rook"]));
    assert_eq!(served.ask("map.rook", Value::Null).await, json!({"game": "7", "piece": "rook"}));
    assert_eq!(served.ask("which", Value::Null).await, json!(7));
}

#[tokio::test(start_paused = true)]
async fn a_parameter_of_another_type_is_refused() {
    async fn number(Path(n): Path<u8>) -> u8 {
        n
    }
    let mut served = served(Gateway::new().on("n.{n}", number)).await;
    assert_eq!(served.ask("n.255", Value::Null).await, json!(255));
    for event in ["n.256", "n.-1", "n.x"] {
        assert_eq!(served.refused(event, Value::Null).await, "The path does not have the expected shape");
    }
}

#[tokio::test(start_paused = true)]
async fn query_reads_the_handshakes_query() {
    #[derive(Deserialize)]
    struct Wish {
        name: String,
        age: Option<u8>,
    }
    async fn wish(Query(wish): Query<Wish>) -> Json<(String, Option<u8>)> {
        Json((wish.name, wish.age))
    }
    let mut served = served_at(Gateway::new().on("wish", wish), "/?name=Ada+%26%20Co").await;
    assert_eq!(served.ask("wish", Value::Null).await, json!(["Ada & Co", null]));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_nobody_gave_keeps_the_server_from_starting_and_is_named() {
    #[derive(Clone)]
    struct Database;
    async fn handler(_: State<Database>) {}
    async fn guard(_: State<Database>) {}
    let gateways = [
        Gateway::new().on("find", handler),
        Gateway::new().fallback(handler),
        Gateway::new().guard(guard),
        Gateway::new().on("find", (async || ()).guard(guard)),
        Gateway::new().connect_guard(guard),
        Gateway::new().on_connect(guard),
        Gateway::new().on_disconnect(guard),
        Gateway::new().on_init(guard),
    ];
    for gateway in gateways {
        let why = refusal(gateway).await;
        assert!(why.contains("Database") && why.contains(".state("), "{why}");
    }
    served(Gateway::new().on("find", handler).state(Database)).await;
}

#[tokio::test(start_paused = true)]
async fn extension_finds_what_the_handshake_the_guard_and_the_layer_put_in_nearest_first() {
    #[derive(Clone)]
    struct From(&'static str);
    async fn whose(Extension(from): Extension<From>) -> &'static str {
        from.0
    }
    async fn attach() -> Attach<From> {
        Attach(From("guard"))
    }
    let put = MapRequestLayer::new(|mut request: Request<Empty<Bytes>>| {
        request.extensions_mut().insert(From("handshake"));
        request
    });
    let gateway = Gateway::new().handshake_layer(put).on("plain", whose).on("guarded", whose.guard(attach));
    let mut served = served(gateway).await;
    assert_eq!(served.ask("plain", Value::Null).await, json!("handshake"));
    assert_eq!(served.ask("guarded", Value::Null).await, json!("guard"));
}

#[tokio::test(start_paused = true)]
async fn extensions_are_all_that_extension_finds() {
    #[derive(Clone)]
    struct From(&'static str);
    #[derive(Clone)]
    struct Kept(u8);
    async fn all(all: Extensions) -> Json<(&'static str, u8)> {
        Json((all.get::<From>().unwrap().0, all.get::<Kept>().unwrap().0))
    }
    async fn replace(client: Client) {
        client.set_data(From("client"));
    }
    async fn attach() -> Attach<From> {
        Attach(From("guard"))
    }
    let put = MapRequestLayer::new(|mut request: Request<Empty<Bytes>>| {
        request.extensions_mut().insert(From("handshake"));
        request.extensions_mut().insert(Kept(7));
        request
    });
    let gateway = Gateway::new()
        .handshake_layer(put)
        .on("plain", all)
        .on("guarded", all.guard(attach))
        .on("replace", replace);
    let mut served = served(gateway).await;
    assert_eq!(served.ask("plain", Value::Null).await, json!(["handshake", 7]));
    served.ask("replace", Value::Null).await;
    assert_eq!(served.ask("plain", Value::Null).await, json!(["client", 7]));
    assert_eq!(served.ask("guarded", Value::Null).await, json!(["guard", 7]));
}

#[tokio::test(start_paused = true)]
async fn a_connect_guard_attaches_to_the_handshake() {
    #[derive(Clone)]
    struct User(String);
    async fn who(handshake: Handshake) -> Result<Attach<User>, Denied> {
        let name = handshake.header("x-user").ok_or_else(|| Denied::unauthorized("Who are you?"))?;
        Ok(Attach(User(name.to_str()?.to_owned())))
    }
    async fn me(Extension(user): Extension<User>) -> String {
        user.0
    }
    let mut served = served_at_with(Gateway::new().connect_guard(who).on("me", me), "Ada").await;
    assert_eq!(served.ask("me", Value::Null).await, json!("Ada"));
    let refused = served.server.connect_with(Request::new(())).await.unwrap_err();
    assert_eq!(refused.status(), 401);
    assert_eq!(&refused.body()[..], br#"{"status":"error","message":"Who are you?"}"#);
}

async fn served_at_with(gateway: Gateway, user: &str) -> super::Served {
    let server = narthex_core::TestServer::new(gateway).await.unwrap();
    let request = Request::get("/").header("x-user", user).body(()).unwrap();
    let client = server.connect_with(request).await.unwrap();
    super::Served { server, client }
}

#[tokio::test(start_paused = true)]
async fn a_missing_extension_is_an_internal_failure() {
    async fn handler(_: Extension<u128>) {}
    let mut served = served(Gateway::new().on("e", handler)).await;
    assert_eq!(served.refused("e", Value::Null).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn the_event_the_handshake_the_client_and_the_hub_are_at_hand() {
    async fn all(name: EventName, handshake: Handshake, client: Client, hub: Hub) -> Json<Value> {
        let known = hub.get(client.id()) == Some(client.clone());
        Json(json!([
            name.as_str(),
            handshake.namespace(),
            client.handshake().query(),
            hub.namespace(),
            known
        ]))
    }
    let mut served = served_at(Gateway::new().namespace("/a").on("all.{x}", all), "/a?q=1").await;
    assert_eq!(served.ask("all.x", Value::Null).await, json!(["all.x", "/a", "q=1", "/a", true]));
}

#[tokio::test(start_paused = true)]
async fn bytes_and_payload_take_what_came() {
    async fn text(bytes: Bytes) -> String {
        String::from_utf8_lossy(&bytes).into_owned()
    }
    async fn kind(payload: Payload) -> bool {
        matches!(payload, Payload::Json(_))
    }
    let mut served = served(Gateway::new().on("text", text).on("kind", kind)).await;
    assert_eq!(served.ask("text", json!({"a": [1]})).await, json!(r#"{"a":[1]}"#));
    assert_eq!(served.ask("kind", json!(1)).await, json!(true));
}

#[tokio::test(start_paused = true)]
async fn optional_extractors_never_fail_and_results_show_why() {
    async fn maybe(n: Option<Json<u8>>, text: Result<Json<String>, Denied>) -> Json<(bool, bool)> {
        Json((n.is_some(), text.is_ok()))
    }
    let mut served = served(Gateway::new().on("maybe", maybe)).await;
    assert_eq!(served.ask("maybe", json!(1)).await, json!([true, false]));
    assert_eq!(served.ask("maybe", json!("one")).await, json!([false, true]));
}

#[tokio::test(start_paused = true)]
async fn ones_own_extractor_is_as_good_as_ours() {
    struct Upper(String);
    impl FromEvent for Upper {
        type Rejection = Denied;
        async fn from_event(event: &mut Event) -> Result<Self, Denied> {
            Ok(Self(event.name().as_str().to_uppercase()))
        }
    }
    async fn upper(Upper(name): Upper) -> String {
        name
    }
    let mut served = served(Gateway::new().on("loud", upper)).await;
    assert_eq!(served.ask("loud", Value::Null).await, json!("LOUD"));
}

#[tokio::test(start_paused = true)]
async fn an_ack_taken_by_the_handler_answers_and_the_returned_value_is_ignored() {
    async fn by_hand(ack: Ack) -> Result<&'static str, narthex_core::Error> {
        assert!(ack.is_requested());
        ack.send(&json!({"by": "hand"}))?;
        Ok("ignored")
    }
    async fn refuses(ack: Ack) -> Result<(), narthex_core::Error> {
        ack.refuse(Denied::bad_request("not today"))
    }
    let mut served = served(Gateway::new().on("ack", by_hand).on("refuses", refuses)).await;
    assert_eq!(served.ask("ack", Value::Null).await, json!({"by": "hand"}));
    assert_eq!(served.refused("refuses", Value::Null).await, "not today");
}

#[tokio::test(start_paused = true)]
async fn an_ack_moved_to_a_task_answers_later() {
    let go = Arc::new(Notify::new());
    let gone = Arc::clone(&go);
    let later = move |ack: Ack| {
        let go = Arc::clone(&gone);
        async move {
            tokio::spawn(async move {
                go.notified().await;
                ack.send("later").unwrap();
            });
        }
    };
    let mut served = served(Gateway::new().on("later", later).on("now", async || "now")).await;
    let (client, ()) = (&mut served.client, go.notify_one());
    assert_eq!(client.ask::<String>("later", &0).await.unwrap(), "later");
    assert_eq!(client.ask::<String>("now", &0).await.unwrap(), "now");
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_is_dropped_answers_with_an_error() {
    async fn drops(_: Ack) -> &'static str {
        "ignored"
    }
    async fn drops_later(ack: Ack) {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(ack);
        });
    }
    let mut served = served(Gateway::new().on("drops", drops).on("later", drops_later)).await;
    assert_eq!(served.refused("drops", Value::Null).await, "Internal server error");
    assert_eq!(served.refused("later", Value::Null).await, "Internal server error");
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_nobody_asked_for_says_so_and_sends_nothing() {
    async fn told(client: Client, ack: Ack) -> Result<(), narthex_core::Error> {
        client.emit("requested", &ack.is_requested())?;
        ack.send("nobody hears this")
    }
    let mut served = served(Gateway::new().on("told", told)).await;
    served.client.emit("told", &0).await.unwrap();
    assert_eq!(served.client.expect("requested").await.unwrap(), json!(false));
}

#[tokio::test(start_paused = true)]
async fn only_on_disconnect_has_a_close_reason() {
    async fn handler(_: CloseReason) {}
    let mut served = served(Gateway::new().on("why", handler)).await;
    assert_eq!(served.refused("why", Value::Null).await, "Internal server error");
}
