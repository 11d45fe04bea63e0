//! One server with all doors, and peers that talk in the default envelope.

use std::{net::SocketAddr, time::Duration};

use narthex::{BoundServer, Frame, Server};
use narthex_conformance::{Arrive, Dial, Door, MemoryDoor, Peer, Refused};
use serde_json::{Value, json};

use crate::doors::{SocketIoDoor, SseDoor, WsDoor};

const PATIENCE: Duration = Duration::from_secs(10);

/// All doors of one server.
pub(super) struct Street {
    pub(super) bound: BoundServer,
    doors: Vec<(&'static str, Box<dyn Dial>)>,
}

const DOORS: [(&str, &dyn Door); 4] =
    [("ws", &WsDoor), ("socketio", &SocketIoDoor), ("sse", &SseDoor), ("memory", &MemoryDoor)];

/// Opens a server behind all doors: `ws`, `socketio`, `sse` and `memory`.
pub(super) async fn open(server: Server) -> Street {
    open_at(server, &DOORS).await
}

/// Opens a server of its own behind each door.
pub(super) async fn open_each(server: impl Fn(&'static str) -> Server) -> Vec<Street> {
    let mut streets = Vec::new();
    for door in DOORS {
        streets.push(open_at(server(door.0), &[door]).await);
    }
    streets
}

async fn open_at(mut server: Server, all: &[(&'static str, &dyn Door)]) -> Street {
    let mut doors = Vec::new();
    for (name, door) in all {
        let (adapter, dial) = door.open();
        server = server.adapters([adapter]);
        doors.push((*name, dial));
    }
    let bound = server.bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    Street { bound, doors }
}

impl Street {
    /// The names of the doors.
    pub(super) fn doors(&self) -> Vec<&'static str> {
        self.doors.iter().map(|(name, _)| *name).collect()
    }

    /// Arrives at a door without a word, so perhaps before it was let in.
    pub(super) async fn dial(&self, door: &str, to: &Arrive) -> Result<Box<dyn Peer>, Refused> {
        let (_, dial) = self.doors.iter().find(|(name, _)| *name == door).expect("a door of the street");
        dial.dial(self.bound.local_addr().ok(), to).await
    }

    /// Arrives at a door. Who is refused hears why: the status where the door has one, and the text.
    pub(super) async fn arrive(
        &self,
        door: &str,
        to: &Arrive,
    ) -> Result<Box<dyn Peer>, (Option<u16>, String)> {
        let peer = self.dial(door, to).await.map_err(|refused| (refused.status, refused.text))?;
        if door != "socketio" {
            return Ok(peer);
        }
        // There the handshake is judged behind the open connection: a word from the other side says that it was let in.
        say(&*peer, json!({ "event": "knock", "id": 0 })).await;
        match tokio::time::timeout(PATIENCE, peer.recv()).await.expect("something comes") {
            Some(_) => Ok(peer),
            None => Err((None, peer.goodbye().map(|(_, text)| text).unwrap_or_default())),
        }
    }

    /// Arrives at a door that lets it in.
    pub(super) async fn enter(&self, door: &str, to: &Arrive) -> Box<dyn Peer> {
        self.arrive(door, to).await.unwrap_or_else(|refused| panic!("{door} refused {to:?}: {refused:?}"))
    }
}

pub(super) async fn say(peer: &dyn Peer, message: Value) {
    peer.send(Frame::text(message.to_string())).await.unwrap();
}

/// What a peer hears next, as JSON.
pub(super) async fn hear(peer: &dyn Peer) -> Value {
    let frame =
        tokio::time::timeout(PATIENCE, peer.recv()).await.expect("something comes").expect("it is open");
    serde_json::from_str(frame.as_text().expect("text")).unwrap()
}

/// Asks, and hears the answer: its data, or the message of its error.
pub(super) async fn ask(peer: &dyn Peer, event: &str, data: Value) -> Result<Value, String> {
    say(peer, json!({ "event": event, "data": data, "id": 1 })).await;
    let mut answer = hear(peer).await;
    match answer["error"]["message"].as_str() {
        Some(message) => Err(message.to_owned()),
        None => Ok(answer["data"].take()),
    }
}
