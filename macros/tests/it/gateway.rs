//! A gateway of attributes, and the same one of the builder, are told apart by nobody.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use narthex::{
    Attach, Client, CloseReason, Denied, Emit, EventName, Extension, Failed, Gateway, Handler, Json,
    Metadata, Path, Pattern, Query, State, TestClient, TestMessage, TestServer, gateway,
    middleware::TimeoutLayer,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

const GREET: &str = "greet";

#[derive(Clone, Copy)]
struct Rank(u8);

#[derive(Clone)]
struct Seen(String);

/// What both gateways are made of.
#[derive(Default)]
struct Chat {
    said: AtomicU64,
    log: Mutex<Vec<String>>,
    left: Notify,
    patience: Duration,
}

async fn not_mallory(Json(payload): Json<Value>) -> bool {
    payload != "Mallory"
}

async fn ranked(Metadata(Rank(rank)): Metadata<Rank>) -> Result<Attach<Seen>, Denied> {
    if rank > 1 { Ok(Attach(Seen(format!("rank {rank}")))) } else { Err(Denied::forbidden("too low")) }
}

async fn softly(denied: Denied, failed: Failed) -> Emit {
    Emit::new("failed", &json!([failed.event.as_str(), denied.to_string()]))
}

#[gateway(namespace = "/chat")]
#[state("hello")]
#[metadata(Rank(1))]
#[guard(not_mallory)]
#[layer(TimeoutLayer::new(self.patience))]
impl Chat {
    fn count(&self) -> u64 {
        self.said.fetch_add(1, SeqCst) + 1
    }

    fn log(&self, line: impl Into<String>) {
        self.log.lock().unwrap().push(line.into());
    }

    #[on_init]
    async fn begin(&self, State(word): State<&'static str>) {
        self.log(format!("begin {word}"));
    }

    #[connect_guard]
    async fn admit(Query(asked): Query<HashMap<String, String>>) -> bool {
        asked["room"] != "closed"
    }

    #[on_connect]
    async fn arrive(&self, client: Client) -> Result<(), Denied> {
        client.join("all").map_err(|_| Denied::forbidden("full"))
    }

    #[on_disconnect]
    async fn leave(self: Arc<Self>, reason: CloseReason) {
        self.log(format!("leave {}", reason.code()));
        self.left.notify_one();
    }

    #[on(GREET)]
    #[on("salute")]
    async fn greet(Json(name): Json<String>, State(word): State<&'static str>, event: EventName) -> String {
        format!("{word}, {name} ({})", event.as_str())
    }

    #[on("say")]
    async fn say(&self, client: Client, Json(text): Json<String>) -> narthex::Result<u64> {
        client.to("all").emit("said", &text)?;
        Ok(self.count())
    }

    #[on("room.{id}.{part}")]
    async fn part(self: Arc<Self>, Path((id, part)): Path<(u32, String)>) -> Json<(u32, String, u64)> {
        Json((id, part, self.count()))
    }

    #[on(Pattern::json(json!({"channel": "group"})))]
    async fn structural(self: &Arc<Self>) -> u64 {
        self.count()
    }

    #[on("promote")]
    #[metadata(Rank(9))]
    #[guard(ranked)]
    async fn promote(&self, Extension(Seen(rank)): Extension<Seen>) -> String {
        rank
    }

    #[on("demote")]
    #[guard(ranked)]
    #[filter(softly)]
    async fn demote(&self) {}

    #[on("wait")]
    #[latest]
    #[max_payload(64)]
    async fn wait(&self) {
        std::future::pending().await
    }

    #[on("quick")]
    #[concurrent(2)]
    #[layer(TimeoutLayer::new(Duration::from_secs(1)))]
    async fn quick(&self) {
        std::future::pending().await
    }

    #[room_guard("team:{id}")]
    async fn of_the_team(&self, Path(team): Path<String>) -> bool {
        team == "blue"
    }

    #[on("join")]
    async fn join(&self, client: Client, Json(room): Json<String>) -> Result<(), Denied> {
        client.ask_to_join(&room).await
    }

    #[cfg(any())]
    #[on("never")]
    async fn never(&self, what: NoSuchType) {}

    #[fallback]
    async fn other(&self, event: EventName) -> String {
        format!("no {}", event.as_str())
    }
}

/// The same by hand, as the documentation says.
fn by_hand(chat: Arc<Chat>) -> Gateway {
    let this = || Arc::clone(&chat);
    let (begin, leave, say, part, structural) = (this(), this(), this(), this(), this());
    Gateway::new()
        .namespace("/chat")
        .state("hello")
        .metadata(Rank(1))
        .guard(not_mallory)
        .layer(TimeoutLayer::new(chat.patience))
        .on_init(move |word: State<&'static str>| {
            let this = Arc::clone(&begin);
            async move { this.begin(word).await }
        })
        .connect_guard(Chat::admit)
        .on_connect(async |client: Client| client.join("all").map_err(|_| Denied::forbidden("full")))
        .on_disconnect(move |reason: CloseReason| Arc::clone(&leave).leave(reason))
        .on(GREET, Chat::greet)
        .on("salute", Chat::greet)
        .on("say", move |client: Client, text: Json<String>| {
            let this = Arc::clone(&say);
            async move { this.say(client, text).await }
        })
        .on("room.{id}.{part}", move |path: Path<(u32, String)>| Arc::clone(&part).part(path))
        .on(Pattern::json(json!({"channel": "group"})), move || {
            let this = Arc::clone(&structural);
            async move { this.structural().await }
        })
        .on("promote", (async |Extension(Seen(rank)): Extension<Seen>| rank).metadata(Rank(9)).guard(ranked))
        .on("demote", (async || ()).guard(ranked).filter(softly))
        .on("wait", (async || std::future::pending::<()>().await).latest().max_payload(64))
        .on(
            "quick",
            (async || std::future::pending::<()>().await)
                .concurrent(2)
                .layer(TimeoutLayer::new(Duration::from_secs(1))),
        )
        .room_guard("team:{id}", async |Path(team): Path<String>| team == "blue")
        .on("join", async |client: Client, Json(room): Json<String>| client.ask_to_join(&room).await)
        .fallback(async |event: EventName| format!("no {}", event.as_str()))
}

fn told(message: &TestMessage) -> Value {
    json!([message.event, message.data])
}

async fn asked(client: &mut TestClient, event: &str, data: Value) -> Value {
    client.ask::<Value>(event, &data).await.unwrap_or_else(|error| json!({"error": error.to_string()}))
}

/// All that a client can see of a gateway.
async fn transcript(gateway: Gateway, chat: &Chat) -> Vec<Value> {
    let server = TestServer::new(gateway).await.unwrap();
    let mut lines = vec![json!(server.connect_to("/chat?room=closed").await.unwrap_err().to_string())];
    let mut ann = server.connect_to("/chat?room=open").await.unwrap();
    let mut bob = server.connect_to("/chat?room=open").await.unwrap();
    let questions = [
        (GREET, json!("Ada")),
        ("salute", json!("Ada")),
        ("greet", json!("Mallory")),
        ("greet", json!(5)),
        ("room.7.door", json!(null)),
        ("room.x.door", json!(null)),
        (r#"{"channel":"group"}"#, json!(null)),
        ("promote", json!(null)),
        ("join", json!("team:blue")),
        ("join", json!("team:red")),
        ("say", json!("hi")),
        ("wait", json!("x".repeat(100))),
        ("wait", json!(null)),
        ("quick", json!(null)),
        ("never", json!(null)),
    ];
    for (event, data) in questions {
        lines.push(json!([event, asked(&mut ann, event, data).await]));
    }
    lines.push(told(&bob.next().await.unwrap()));
    ann.emit("demote", &()).await.unwrap();
    lines.push(told(&ann.next().await.unwrap()));
    ann.close(1000, "bye");
    chat.left.notified().await;
    lines.push(json!(*chat.log.lock().unwrap()));
    lines
}

fn chat() -> Arc<Chat> {
    Arc::new(Chat { patience: Duration::from_secs(3), ..Chat::default() })
}

#[tokio::test(start_paused = true)]
async fn a_gateway_of_attributes_does_what_the_same_by_hand_does() {
    let (one, other) = (chat(), chat());
    let attributes = transcript(Arc::clone(&one).into_gateway(), &one).await;
    let builder = transcript(by_hand(Arc::clone(&other)), &other).await;
    assert_eq!(attributes, builder);
    // So that the two are not alike by failing alike.
    for expected in [
        json!(["greet", "hello, Ada (greet)"]),
        json!(["salute", "hello, Ada (salute)"]),
        json!(["room.7.door", [7, "door", 1]]),
        json!([r#"{"channel":"group"}"#, 2]),
        json!(["promote", "rank 9"]),
        json!(["join", null]),
        json!(["say", 3]),
        json!(["said", "hi"]),
        json!(["never", "no never"]),
        json!(["failed", ["demote", "too low"]]),
        json!(["begin hello", "leave 1000"]),
    ] {
        assert!(attributes.contains(&expected), "{expected} is not in {attributes:#?}");
    }
}

/// Has the name of a variable that the macro writes.
fn built() -> &'static str {
    "serve"
}

#[derive(Default)]
struct Guarded {
    refused: AtomicU64,
}

#[gateway]
impl Guarded {
    #[guard]
    async fn polite(&self, Json(text): Json<String>) -> bool {
        text.ends_with("please")
    }

    #[filter]
    async fn count(&self, denied: Denied, _: Failed) -> Denied {
        self.refused.fetch_add(1, SeqCst);
        denied
    }

    #[on(built())]
    async fn serve(&self) -> u64 {
        self.refused.load(SeqCst)
    }
}

#[tokio::test]
async fn guards_and_filters_can_be_methods() {
    let server = TestServer::new(Guarded::default().gateway()).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert!(client.ask::<u64>("serve", "now!").await.unwrap_err().to_string().contains("Forbidden resource"));
    assert_eq!(client.ask::<u64>("serve", "now, please").await.unwrap(), 1);
}

/// Of any store: the caller says which.
struct Shop<S>(S);

#[gateway(namespace = format!("/{}", "shop"))]
impl<S> Shop<S>
where
    S: Fn(&str) -> u32 + Send + Sync + 'static,
{
    #[on("price")]
    async fn price(&self, Json(name): Json<String>) -> u32 {
        (self.0)(&name)
    }
}

#[tokio::test]
async fn a_gateway_may_be_generic() {
    let server = TestServer::new(Shop(|name: &str| name.len() as u32).gateway()).await.unwrap();
    let mut client = server.connect_to("/shop").await.unwrap();
    assert_eq!(client.ask::<u32>("price", "tea").await.unwrap(), 3);
}

/// The same methods over the socket and over HTTP.
#[derive(Default)]
struct Examples {
    asked: AtomicU64,
}

#[gateway]
impl Examples {
    #[get("/example/{id}")]
    async fn find(&self, axum::extract::Path(id): axum::extract::Path<u32>) -> axum::Json<Value> {
        axum::Json(json!({ "id": id, "asked": self.asked.fetch_add(1, SeqCst) + 1 }))
    }

    #[post("/example/{id}")]
    async fn create(axum::Json(body): axum::Json<Value>) -> axum::Json<Value> {
        axum::Json(body)
    }

    #[on("count")]
    async fn count(&self) -> u64 {
        self.asked.load(SeqCst)
    }
}

#[tokio::test]
async fn routes_are_served_over_the_socket_beside_events() {
    let server = TestServer::new(Examples::default().gateway()).await.unwrap();
    let mut client = server.connect().await.unwrap();
    let found = asked(&mut client, "get", json!({"method": "get", "url": "/example/7"})).await;
    assert_eq!((&found["statusCode"], &found["body"]), (&json!(200), &json!({"id": 7, "asked": 1})));
    let made =
        asked(&mut client, "post", json!({"method": "post", "url": "/example/7", "data": {"a": 1}})).await;
    assert_eq!((&made["statusCode"], &made["body"]), (&json!(200), &json!({"a": 1})));
    assert_eq!(
        asked(&mut client, "get", json!({"method": "get", "url": "/nowhere"})).await["statusCode"],
        404
    );
    assert_eq!(client.ask::<u64>("count", &()).await.unwrap(), 1);
}
