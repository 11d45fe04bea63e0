//! Credentials are in no log, whichever door and place they came by.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt};
use narthex::{
    BoundServer, Client, Denied, Envelope, Gateway, JsonEnvelope, Server,
    middleware::{TraceLayer, filters},
};
use narthex_conformance::Arrive;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{client_async, tungstenite::Message};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use super::kit::{self, Street, ask, hear, say};

/// A token in no other test's words.
const SECRET: &str = "s3cr3t-0f-th3-h0us3";

/// Everything that anybody says, at every level, by its target.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<Vec<(String, String)>>>);

#[derive(Default)]
struct Text {
    text: String,
    /// Of a record of the `log` facade.
    target: Option<String>,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.text, " {}={value:?}", field.name()).unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.target = Some(value.to_owned());
        }
        write!(self.text, " {}={value}", field.name()).unwrap();
    }
}

impl Everything {
    fn add(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Text)) {
        let mut text = Text { text: metadata.name().to_owned(), target: None };
        record(&mut text);
        let target = text.target.unwrap_or_else(|| metadata.target().to_owned());
        self.0.lock().unwrap().push((target, text.text));
    }

    /// The targets that have said something with `word` in it.
    fn with(&self, word: &str) -> BTreeSet<String> {
        let said = self.0.lock().unwrap();
        said.iter().filter(|(_, text)| text.contains(word)).map(|(target, _)| target.clone()).collect()
    }
}

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Everything {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.add(attributes.metadata(), |text| attributes.record(text));
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        self.add(context.span(id).unwrap().metadata(), |text| values.record(text));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.add(event.metadata(), |text| event.record(text));
    }
}

fn server(_: &str) -> Server {
    let trace = TraceLayer::new().with_query().with_peer_addr();
    let gateway = Gateway::new()
        .on_connect(|client: Client| async move {
            // A shape of each mistake that a handler can make with what it knows.
            tracing::debug!(handshake = ?client.handshake(), ?client, "a user's own words");
            match client.handshake().query().contains("refuse") {
                true => Err(Denied::forbidden("Not today")),
                false => Ok(()),
            }
        })
        .on("knock", async || "come in")
        .on("hello", async || "hello")
        .on("number", async |narthex::Json(n): narthex::Json<u8>| n)
        .on("filtered", async |narthex::Json(n): narthex::Json<u8>| n)
        .filter(filters::nest());
    Server::new(gateway).observe(trace.clone()).handshake_layer(trace.clone()).message_layer(trace)
}

/// Every place of a handshake that can carry a credential.
fn credentials(path: &str) -> Arrive {
    let query = ["token", "access_token", "ticket_", "auth_token", "Password", "client_secret", "sessionId"]
        .map(|name| format!("{name}={SECRET}"))
        .join("&");
    Arrive::at(format!("{path}?{query}"))
        .header("authorization", format!("Bearer {SECRET}"))
        .header("cookie", format!("session={SECRET}"))
        .header("proxy-authorization", format!("Basic {SECRET}"))
}

async fn talk(street: &Street, door: &str) {
    let peer = street.enter(door, &credentials("/")).await;
    assert_eq!(ask(&*peer, "hello", Value::Null).await.unwrap(), "hello");
    // Payloads and names are no logs' business either.
    for event in ["number", "filtered", SECRET] {
        say(&*peer, json!({ "event": event, "data": { "password": SECRET } })).await;
        assert_eq!(hear(&*peer).await["event"], "exception");
    }
    peer.close(1000, "").await;
    let mut refused = credentials("/");
    refused.path.push_str("&refuse=1");
    drop(street.arrive(door, &refused).await);
    drop(street.arrive(door, &credentials("/nowhere")).await);
    // As browsers send a token with a WebSocket.
    let offered = format!("{}, bearer, {SECRET}", JsonEnvelope.name());
    drop(street.dial(door, &credentials("/").header("sec-websocket-protocol", offered)).await);
}

/// Socket.IO's `auth`, and the engine's secret session id.
async fn connect_with_auth(addr: SocketAddr) -> Vec<String> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket&token={SECRET}");
    let (mut socket, _) = client_async(url, stream).await.unwrap();
    let opened = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let opened: Value = serde_json::from_str(&opened[1..]).unwrap();
    socket.send(Message::text(format!(r#"40{{"token":"{SECRET}"}}"#))).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().into_text().unwrap().starts_with("40"));
    vec![opened["sid"].as_str().unwrap().to_owned()]
}

/// The ticket of an event stream, and its session's token.
async fn open_by_ticket(addr: SocketAddr) -> Vec<String> {
    let asked = format!(
        "POST /ticket?token={SECRET} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {SECRET}\r\n\
         content-length: 0\r\n\r\n"
    );
    let ticket = member(addr, &asked, "\"ticket\":\"").await;
    let opened =
        format!("GET /?ticket={ticket} HTTP/1.1\r\nhost: {addr}\r\naccept: text/event-stream\r\n\r\n");
    let session = member(addr, &opened, "\"session\":\"").await;
    let (_, secret) = session.split_once('.').unwrap();
    vec![ticket, secret.to_owned()]
}

/// Reads an answer until it has come to a member, and gives that.
async fn member(addr: SocketAddr, request: &str, name: &str) -> String {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((value, _)) = text.split_once(name).and_then(|(_, after)| after.split_once('"')) {
            return value.to_owned();
        }
        assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0, "{text}");
    }
}

async fn further(door: &str, bound: &BoundServer) -> Vec<String> {
    match door {
        "socketio" => connect_with_auth(bound.local_addr().unwrap()).await,
        "sse" => open_by_ticket(bound.local_addr().unwrap()).await,
        _ => Vec::new(),
    }
}

// One thread, so that the subscriber hears server and clients alike.
#[tokio::test]
async fn no_credential_is_logged_by_any_door_in_any_place() {
    let everything = Everything::default();
    let _guard = tracing_subscriber::registry().with(everything.clone()).set_default();
    for street in kit::open_each(server).await {
        let door = street.doors()[0];
        talk(&street, door).await;
        let mut secrets = further(door, &street.bound).await;
        secrets.push(SECRET.to_owned());
        street.bound.drain().await.unwrap();
        for secret in &secrets {
            // Its trace of frames, which both ends write here, has whole messages in it.
            let known = |target: &String| target.starts_with("tungstenite::");
            let said: Vec<_> = everything.with(secret).into_iter().filter(|target| !known(target)).collect();
            assert!(said.is_empty(), "{door}: {said:?} have logged a credential");
        }
    }
    // What the test would otherwise not hear: spans with what was taken out, and what came of the messages.
    for word in
        ["[redacted]", "adapter=socketio", "adapter=sse", "adapter=ws", "adapter=memory", "bad_request"]
    {
        assert_eq!(everything.with(word).into_iter().collect::<Vec<_>>(), ["narthex"], "{word}");
    }
    assert!(everything.with("a user's own words").contains("it::layers::trace"));
}
