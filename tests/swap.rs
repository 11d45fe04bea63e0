//! One gateway behind all doors of one server: the same transcript on each, and rooms across them.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use narthex::{
    BoundServer, Client, CloseReason, Denied, Emit, Frame, Gateway, Hub, Json, Payload, Server, State,
};
use narthex_conformance::{Arrive, Dial, Door, MemoryDoor, Peer};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::doors::{SocketIoDoor, SseDoor, WsDoor};

const ASK: Duration = Duration::from_secs(10);

type Left = mpsc::UnboundedSender<&'static str>;

async fn admit(client: Client) -> Result<(), Denied> {
    if client.handshake().query().contains("refuse") {
        return Err(Denied::forbidden("Not today"));
    }
    client.emit("welcome", &"hello").map_err(Denied::from)
}

async fn ask(client: Client, Json(question): Json<Value>) -> Result<Json<Value>, Denied> {
    Ok(Json(client.emit_with_ack("question", &question, ASK).await?))
}

async fn survey(hub: Hub) -> Result<Json<Vec<String>>, Denied> {
    let answers = hub.to("hall").emit_with_ack::<String>("survey", &"?", ASK).await?;
    let mut said: Vec<String> = answers.into_iter().filter_map(|(_, answer)| answer.ok()).collect();
    said.sort();
    Ok(Json(said))
}

async fn say(client: Client, Json(text): Json<Value>) -> Result<(), Denied> {
    client.to("hall").emit("said", &text)?;
    Ok(())
}

async fn tell_all(hub: Hub, Json(text): Json<Value>) -> Result<Json<usize>, Denied> {
    Ok(Json(hub.to("hall").emit("told", &text)?))
}

async fn panics() {
    panic!("a handler was asked to panic");
}

async fn note(reason: CloseReason, State(left): State<Left>) {
    let why = match reason {
        CloseReason::ClientClosed { .. } => "closed",
        CloseReason::Disconnected { .. } => "disconnected",
        CloseReason::Draining => "draining",
        _ => "gone",
    };
    // A test that has ended reads no reasons.
    let _ = left.send(why);
}

fn gateway(left: Left) -> Gateway {
    Gateway::new()
        .state(left)
        .on_connect(admit)
        .on_disconnect(note)
        .on("echo", |payload: Payload| async { payload })
        .on("back", |payload: Payload| async { Emit::payload("back", payload) })
        .on("ask", ask)
        .on("survey", survey)
        .on("join", |client: Client| async move { client.join("hall").map(|()| "joined") })
        .on("say", say)
        .on("tell-all", tell_all)
        .on("number", |Json(n): Json<u8>| async move { n + 1 })
        .on("fail", async || Err::<(), _>(Denied::bad_request("No such colour")))
        .on("secret", async || Err::<(), _>(std::io::Error::other("the password is 1234")))
        .on("panic", panics)
        .on("kick", |client: Client| async move { client.disconnect(4000, "off you go") })
}

struct Street {
    bound: BoundServer,
    doors: Vec<(&'static str, Box<dyn Dial>)>,
    left: mpsc::UnboundedReceiver<&'static str>,
}

/// All doors of one server.
async fn street() -> Street {
    let all: [(&'static str, &dyn Door); 4] =
        [("ws", &WsDoor), ("socketio", &SocketIoDoor), ("sse", &SseDoor), ("memory", &MemoryDoor)];
    let (tell, left) = mpsc::unbounded_channel();
    let mut server = Server::new(gateway(tell));
    let mut doors = Vec::new();
    for (name, door) in all {
        let (adapter, dial) = door.open();
        server = server.adapters([adapter]);
        doors.push((name, dial));
    }
    let bound = server.bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    Street { bound, doors, left }
}

/// What a peer hears, as JSON; bytes as their number.
async fn hear(peer: &dyn Peer) -> Value {
    let frame = tokio::time::timeout(ASK, peer.recv()).await.expect("something comes").expect("it is open");
    match frame.as_text() {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => json!({ "bytes": frame.payload().len() }),
    }
}

async fn send(peer: &dyn Peer, message: Value) {
    peer.send(Frame::text(message.to_string())).await.unwrap();
}

impl Street {
    async fn dial(&self, door: usize, path: &str) -> Box<dyn Peer> {
        let addr = self.bound.local_addr().ok();
        let peer = self.doors[door].1.dial(addr, &Arrive::at(path)).await.unwrap();
        assert_eq!(hear(&*peer).await, json!({ "event": "welcome", "data": "hello" }));
        peer
    }
}

/// Says what every client of the framework may say, and writes down what it hears.
async fn transcript(peer: &dyn Peer) -> Vec<Value> {
    let mut heard = Vec::new();
    for message in [
        json!({ "event": "echo", "data": { "a": [1, "ü", null] }, "id": 1 }),
        json!({ "event": "back", "data": "again" }),
        json!({ "event": "number", "data": 7, "id": 2 }),
        json!({ "event": "number", "data": "seven", "id": 3 }),
        json!({ "event": "number", "data": "seven" }),
        json!({ "event": "fail", "id": 4 }),
        json!({ "event": "fail" }),
        json!({ "event": "secret", "id": 5 }),
        json!({ "event": "panic", "id": 6 }),
        json!({ "event": "nobody", "id": 7 }),
        json!({ "event": "join", "id": 8 }),
    ] {
        send(peer, message).await;
        heard.push(hear(peer).await);
    }
    // A message to the room but not to its sender, then one to all of it.
    send(peer, json!({ "event": "say", "data": 1, "id": 9 })).await;
    send(peer, json!({ "event": "tell-all", "data": 2, "id": 10 })).await;
    for _ in 0..3 {
        heard.push(hear(peer).await);
    }
    // The server asks back, once this client and once the room.
    for (question, answer) in [("ask", json!("because")), ("survey", json!("fine"))] {
        send(peer, json!({ "event": question, "data": "why", "id": 11 })).await;
        let mut asked = hear(peer).await;
        let id = asked["id"].take();
        heard.push(asked);
        send(peer, json!({ "ack": id, "data": answer })).await;
        heard.push(hear(peer).await);
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transcript_is_the_same_behind_every_door_of_one_server() {
    let mut street = street().await;
    let mut transcripts = BTreeMap::new();
    for door in 0..street.doors.len() {
        let peer = street.dial(door, "/").await;
        transcripts.insert(street.doors[door].0, transcript(&*peer).await);
        send(&*peer, json!({ "event": "kick" })).await;
        assert_eq!(peer.recv().await, None, "{}", street.doors[door].0);
        assert_eq!(street.left.recv().await, Some("disconnected"), "{}", street.doors[door].0);
        let leaving = street.dial(door, "/").await;
        leaving.close(1000, "").await;
        assert_eq!(street.left.recv().await, Some("closed"), "{}", street.doors[door].0);
    }
    let expected = &transcripts["memory"];
    assert_eq!(expected[0], json!({ "ack": 1, "data": { "a": [1, "ü", null] } }));
    assert_eq!(
        expected[7],
        json!({ "ack": 5, "error": { "status": "error", "message": "Internal server error" } })
    );
    for (door, transcript) in &transcripts {
        assert_eq!(transcript, expected, "{door}");
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_on_connect_refuses_is_told_why_behind_every_door() {
    let mut street = street().await;
    for (name, dial) in &street.doors {
        let addr = street.bound.local_addr().ok();
        let said = match dial.dial(addr, &Arrive::at("/?refuse=1")).await {
            Err(refused) => refused.text,
            Ok(peer) => {
                let mut said = String::new();
                while let Some(frame) = peer.recv().await {
                    said.push_str(&String::from_utf8_lossy(frame.payload()));
                }
                said + &peer.goodbye().map(|(_, text)| text).unwrap_or_default()
            }
        };
        assert!(said.contains("Not today"), "{name}: {said}");
    }
    assert_eq!(street.bound.hub("/").unwrap().len(), 0);
    street.bound.drain().await.unwrap();
    assert!(street.left.try_recv().is_err(), "nobody who was refused has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_across_all_doors_hears_everybody_once_and_each_sender_in_order() {
    const EACH: u64 = 50;
    let mut street = street().await;
    let mut peers = Vec::new();
    for door in 0..street.doors.len() {
        let peer = street.dial(door, "/").await;
        send(&*peer, json!({ "event": "join", "id": 1 })).await;
        assert_eq!(hear(&*peer).await, json!({ "ack": 1, "data": "joined" }));
        peers.push(peer);
    }
    let speaking = peers.iter().enumerate().map(|(who, peer)| async move {
        for n in 0..EACH {
            send(&**peer, json!({ "event": "say", "data": [who, n] })).await;
        }
    });
    let listening = peers.iter().enumerate().map(|(who, peer)| async move {
        let mut next = BTreeMap::<u64, u64>::new();
        for _ in 0..EACH * 3 {
            let heard = hear(&**peer).await;
            assert_eq!(heard["event"], "said");
            let (from, n) = (heard["data"][0].as_u64().unwrap(), heard["data"][1].as_u64().unwrap());
            assert_ne!(from, who as u64, "a sender does not hear itself");
            let next = next.entry(from).or_default();
            assert_eq!(n, *next, "client {who} hears client {from} in order");
            *next += 1;
        }
        next
    });
    let (_, heard) =
        tokio::join!(futures_util::future::join_all(speaking), futures_util::future::join_all(listening));
    for next in heard {
        assert_eq!(next.values().copied().collect::<Vec<_>>(), [EACH; 3]);
    }
    // One request to the room, one answer from behind each door.
    let answering = peers.iter().enumerate().map(|(who, peer)| async move {
        let mut asked = hear(&**peer).await;
        assert_eq!(asked["event"], "survey");
        send(&**peer, json!({ "ack": asked["id"].take(), "data": format!("client {who}") })).await;
    });
    send(&*peers[0], json!({ "event": "survey", "id": 5 })).await;
    futures_util::future::join_all(answering).await;
    let everybody: Vec<String> = (0..peers.len()).map(|who| format!("client {who}")).collect();
    assert_eq!(hear(&*peers[0]).await, json!({ "ack": 5, "data": everybody }));
    // A goodbye is read by who is there.
    let ending = peers.iter().map(|peer| async move { while peer.recv().await.is_some() {} });
    let (drained, _) = tokio::join!(street.bound.drain(), futures_util::future::join_all(ending));
    drained.unwrap();
    let reasons: Vec<_> = std::iter::from_fn(|| street.left.try_recv().ok()).collect();
    assert_eq!(reasons, ["draining"; 4]);
}

/// Two doors are left out without a word of the program: a feature flag decides.
#[test]
fn the_flags_decide_which_doors_are_open() {
    let open = narthex::adapters::enabled().unwrap().len();
    let compiled = [cfg!(feature = "ws"), cfg!(feature = "socketio"), cfg!(feature = "sse-fallback")];
    assert_eq!(open, compiled.into_iter().filter(|on| *on).count());
}
