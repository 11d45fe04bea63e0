//! Guards made of guards, what they read of a registration, and guards of rooms.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use narthex_core::{
    Attach, Client, Denied, DeniedKind, ErrorKind, Extension, Gateway, Guard, Handler, Json, Metadata, Path,
    Reply, RoomName, State, TestServer,
};
use serde_json::{Value, json};

use super::{refusal, served};

async fn yes() -> bool {
    true
}

async fn no() -> Result<(), Denied> {
    Err(Denied::forbidden("no"))
}

async fn stranger() -> Result<(), Denied> {
    Err(Denied::unauthorized("who are you"))
}

async fn panics() -> bool {
    panic!("a guard was asked to panic")
}

/// Fails where there is no such extension: there is none.
async fn lacks(_: Extension<u64>) -> bool {
    true
}

/// What a handler behind this guard answers: its own word, or why it is not reached.
async fn behind<M>(guard: impl Guard<M>) -> String {
    let mut served = served(Gateway::new().on("e", (async || "passed").guard(guard))).await;
    match served.client.ask::<String>("e", &()).await {
        Ok(passed) => passed,
        Err(refused) => refused.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn both_of_two_guards_must_let_pass_or_either_or_the_one_must_not() {
    const INTERNAL: &str = "Internal server error";
    assert_eq!(behind(yes.and(yes)).await, "passed");
    assert_eq!(behind(yes.and(no)).await, "no");
    assert_eq!(behind(no.and(panics)).await, "no");
    assert_eq!(behind(no.or(yes)).await, "passed");
    assert_eq!(behind(yes.or(panics)).await, "passed");
    assert_eq!(behind(no.or(stranger)).await, "who are you");
    assert_eq!(behind(no.not()).await, "passed");
    assert_eq!(behind(stranger.not()).await, "passed");
    assert_eq!(behind(yes.not()).await, "Forbidden resource");
    assert_eq!(behind(no.not().and(yes.or(no))).await, "passed");
    // What fails has not said no.
    assert_eq!(behind(panics.not()).await, INTERNAL);
    assert_eq!(behind(lacks.not()).await, INTERNAL);
    assert_eq!(behind(lacks.or(panics)).await, INTERNAL);
    assert_eq!(behind(panics.or(yes)).await, "passed");
}

#[tokio::test(start_paused = true)]
async fn what_a_refusing_guard_has_attached_does_not_reach_the_handler() {
    async fn marks() -> Attach<u8> {
        Attach(1)
    }
    let marked = async |mark: Option<Extension<u8>>| mark.is_some();
    let gateway = Gateway::new()
        .on("or", marked.guard(marks.and(no).or(yes)))
        .on("not", marked.guard(marks.and(no).not()))
        .on("and", marked.guard(marks.and(yes)));
    let mut served = served(gateway).await;
    for (event, expected) in [("or", false), ("not", false), ("and", true)] {
        assert_eq!(served.ask(event, Value::Null).await, json!(expected), "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_combined_guard_needs_what_its_parts_need() {
    async fn first(_: State<u8>) {}
    async fn second(_: State<u16>) {}
    let combined = || first.and(second).or(no).not();
    assert!(refusal(Gateway::new().guard(combined())).await.contains("State<u8>"));
    assert!(refusal(Gateway::new().state(1_u8).guard(combined())).await.contains("State<u16>"));
}

#[tokio::test(start_paused = true)]
async fn a_guard_reads_what_the_handler_or_else_the_gateway_was_registered_with() {
    #[derive(Clone)]
    struct Wants(&'static str);
    async fn judge(wanted: Option<Metadata<Wants>>) -> Result<(), Denied> {
        match wanted {
            Some(Metadata(Wants(role))) => Err(Denied::forbidden(format!("only for a {role}"))),
            None => Ok(()),
        }
    }
    let open =
        Gateway::new().guard(judge).on("own", yes_handler.metadata(Wants("poet"))).on("none", yes_handler);
    let closed = Gateway::new().namespace("/closed").metadata(Wants("clerk")).guard(judge);
    let closed = closed.on("own", yes_handler.metadata(Wants("poet"))).on("none", yes_handler);
    let server = TestServer::of(narthex_core::Server::new(open).gateway(closed)).await.unwrap();
    let (mut open, mut closed) =
        (server.connect().await.unwrap(), server.connect_to("/closed").await.unwrap());
    assert!(open.ask::<bool>("none", &()).await.unwrap());
    assert_eq!(open.ask::<bool>("own", &()).await.unwrap_err().to_string(), "only for a poet");
    assert_eq!(closed.ask::<bool>("own", &()).await.unwrap_err().to_string(), "only for a poet");
    assert_eq!(closed.ask::<bool>("none", &()).await.unwrap_err().to_string(), "only for a clerk");
}

#[tokio::test(start_paused = true)]
async fn a_guard_of_connects_or_rooms_reads_what_its_gateway_was_registered_with() {
    #[derive(Clone)]
    struct Closed;
    async fn open(closed: Option<Metadata<Closed>>) -> bool {
        closed.is_none()
    }
    let gateway = |path: &str| Gateway::new().namespace(path).room_guard("{room}", open).on("ask", ask);
    let server = narthex_core::Server::new(gateway("/open"))
        .gateway(gateway("/own").metadata(Closed).connect_guard(open))
        .gateway(gateway("/rooms").metadata(Closed));
    let server = TestServer::of(server).await.unwrap();
    assert!(server.connect_to("/own").await.is_err());
    for (path, is_open) in [("/open", true), ("/rooms", false)] {
        let mut client = server.connect_to(path).await.unwrap();
        assert_eq!(client.ask::<()>("ask", "hall").await.is_ok(), is_open, "{path}");
    }
    let closed = narthex_core::Server::new(gateway("/").metadata(Closed)).connect_guard(open);
    assert!(TestServer::of(closed).await.unwrap().connect().await.is_err());
}

async fn yes_handler() -> bool {
    true
}

async fn ask(client: Client, Json(room): Json<String>) -> Result<(), Denied> {
    client.ask_to_join(&room).await
}

async fn rooms(client: Client) -> Json<Vec<String>> {
    Json(client.rooms())
}

type Asked = Arc<AtomicUsize>;

/// Lets into the team of the client's own, and into team 0 nobody.
async fn of_the_team(
    Path(team): Path<u8>,
    RoomName(room): RoomName,
    client: Client,
    State(asked): State<Asked>,
) -> Result<(), Denied> {
    asked.fetch_add(1, Ordering::Relaxed);
    assert_ne!(team, 0, "asked to panic");
    let own = client.handshake().query();
    if own == team.to_string() { Ok(()) } else { Err(Denied::forbidden(format!("{room} is not yours"))) }
}

fn teams(asked: &Asked) -> Gateway {
    Gateway::new()
        .state(Arc::clone(asked))
        .room_guard("team:{id}", of_the_team)
        .room_guard("{any}", |RoomName(room): RoomName| async move { !room.contains("secret") })
        .on("ask", ask)
        .on("rooms", rooms)
        .on("join", |client: Client, Json(room): Json<String>| async move {
            client
                .join(&room)
                .map_err(|error| Denied::new(DeniedKind::Conflict, format!("{:?}", error.kind())))
        })
        .on("decide", |client: Client, Json(room): Json<String>| async move { client.join_unguarded(&room) })
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_a_room_by_name_is_let_in_by_its_guards_alone() {
    let asked = Asked::default();
    let server = TestServer::new(teams(&asked)).await.unwrap();
    let mut client = server.connect_to("/?7").await.unwrap();
    client.ask::<()>("ask", "team:7").await.unwrap();
    client.ask::<()>("ask", "lobby").await.unwrap();
    for (room, why) in [
        ("team:8", "team:8 is not yours"),
        ("a secret", "Forbidden resource"),
        ("team:seven", "The path does not have the expected shape"),
        ("team:0", "Internal server error"),
        ("", "a name must not be empty"),
    ] {
        assert_eq!(client.ask::<()>("ask", room).await.unwrap_err().to_string(), why);
    }
    assert_eq!(client.ask::<Vec<String>>("rooms", &()).await.unwrap(), ["team:7", "lobby"]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // One is in already, so nobody is asked.
    client.ask::<()>("ask", "team:7").await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_guarded_room_is_never_joined_unasked_by_mistake() {
    let server = TestServer::new(teams(&Asked::default())).await.unwrap();
    let mut client = server.connect_to("/?7").await.unwrap();
    let refused = client.ask::<()>("join", "team:7").await.unwrap_err();
    assert_eq!(refused.to_string(), format!("{:?}", ErrorKind::Guarded));
    client.ask::<()>("decide", "team:8").await.unwrap();
    assert_eq!(client.ask::<Vec<String>>("rooms", &()).await.unwrap(), ["team:8"]);
}

#[tokio::test(start_paused = true)]
async fn guards_of_rooms_are_checked_at_start() {
    assert!(refusal(Gateway::new().room_guard("team:{id", yes)).await.contains("team:{id"));
    async fn needs(_: State<u8>) {}
    assert!(refusal(Gateway::new().room_guard("team:{id}", needs)).await.contains("State<u8>"));
    let mut served = served(Gateway::new().on("none", || async { Reply::none() }).on("ask", ask)).await;
    assert_eq!(served.ask("ask", json!("anywhere")).await, Value::Null);
}
