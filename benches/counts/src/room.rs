//! Broadcasts: what one costs whoever sends it, and what it costs up to the sockets.

use std::{net::SocketAddr, ops::Range, sync::mpsc, task::Context, task::Waker, thread};

use narthex::{Client as Member, Gateway, Hub, Json, JsonEnvelope, Server, adapters::Ws};
use serde_json::{Value, json, value::RawValue};

use crate::{
    Result,
    desk::{self, Paper},
    direct::expect,
    doors::serve,
    loopback::{self, Client, Peer},
    section,
};

const ROOM: &str = "bench";
/// Members without sockets, and the emits that are counted.
const MEMBERS: usize = 1_000;
const EMITS: u64 = 20;
/// Members with sockets, two files each in one process.
const LISTENERS: usize = 200;
const WARM_UP: u64 = 8;

fn news() -> Value {
    json!({ "pad": "x".repeat(89) })
}

fn wire() -> String {
    format!(r#"{{"event":"message","data":{}}}"#, news())
}

/// `hub.to(room).emit`, up to the outbox and the waker of each member.
pub(crate) fn emit() -> Result<u64> {
    let runtime = loopback::runtime()?;
    let mut open = runtime.block_on(desk::open(Gateway::new(), MEMBERS, JsonEnvelope))?;
    let _entered = runtime.enter();
    let hub = open.server.hub("/").ok_or("no hub")?;
    for session in &open.sessions {
        session.client().join(ROOM)?;
    }
    let (data, expected) = (news(), wire().into_bytes());
    let mut cx = Context::from_waker(Waker::noop());
    for round in 0..WARM_UP + EMITS {
        let mut reached = Ok(0);
        let mut work = || reached = hub.to(ROOM).emit("message", &data);
        if round < WARM_UP {
            work()
        } else {
            section::counted(&mut work)
        }
        expect(reached? == MEMBERS, "a member was not reached")?;
        for session in &mut open.sessions {
            let mut out = Paper::default();
            expect(session.poll_outbound(&mut cx, &mut out).is_pending(), "a session ended")?;
            expect(out.bytes == expected, "a member got something else")?;
        }
    }
    Ok(EMITS * MEMBERS as u64)
}

/// Everybody joins the room; whoever publishes reaches all.
fn gateway() -> Gateway {
    Gateway::new().on_connect(async |client: Member| client.join(ROOM)).on(
        "publish",
        async |hub: Hub, Json(data): Json<Box<RawValue>>| -> narthex::Result<()> {
            hub.to(ROOM).emit("message", &data).map(drop)
        },
    )
}

/// The members of a room, of whom the first publishes.
#[derive(Debug)]
struct Crowd {
    clients: Vec<Client>,
    burst: u64,
}

impl Crowd {
    fn open(addr: SocketAddr, burst: u64) -> Result<Self> {
        let clients = (0..LISTENERS).map(|_| Client::open(addr, "/"));
        Ok(Self { clients: clients.collect::<Result<Vec<_>>>()?, burst })
    }

    /// Everybody gets one burst, and nothing else.
    fn hear(&mut self) -> Result {
        let expected = wire();
        for client in &mut self.clients {
            for _ in 0..self.burst {
                client.expect(&expected)?;
            }
        }
        Ok(())
    }
}

impl Peer for Crowd {
    fn exchange(&mut self, rounds: Range<u64>) -> Result {
        for _ in rounds {
            for _ in 0..self.burst {
                self.clients[0].queue(format!(r#"{{"event":"publish","data":{}}}"#, news()))?;
            }
            self.clients[0].flush()?;
            self.hear()?;
        }
        Ok(())
    }
}

/// A member publishes, and waits until all have heard.
pub(crate) fn published() -> Result<u64> {
    publish_by_member(1)
}

/// A member publishes eight messages in one write.
pub(crate) fn published_busy() -> Result<u64> {
    publish_by_member(8)
}

fn publish_by_member(burst: u64) -> Result<u64> {
    let runtime = loopback::runtime()?;
    let (addr, _) = serve(&runtime, Server::new(gateway()).adapter(Ws::new()))?;
    let rounds = loopback::count(&runtime, move || Crowd::open(addr, burst), WARM_UP, EMITS)?;
    Ok(rounds * burst * LISTENERS as u64)
}

/// The same up to the sockets of a ws door, one emit at a time.
pub(crate) fn delivered() -> Result<u64> {
    broadcast(1)
}

/// The same, eight emits in a row.
pub(crate) fn delivered_busy() -> Result<u64> {
    broadcast(8)
}

fn broadcast(burst: u64) -> Result<u64> {
    let runtime = loopback::runtime()?;
    let (addr, handle) = serve(&runtime, Server::new(gateway()).adapter(Ws::new()))?;
    let hub = handle.hub("/").ok_or("no hub")?;
    let (heard, mut all_heard) = tokio::sync::mpsc::channel(1);
    let (end, ended) = mpsc::channel();
    let thread = thread::spawn(move || listen(addr, burst, &heard, &ended));
    let mut failed = runtime.block_on(all_heard.recv()).is_none();
    let data = news();
    let mut rounds = |count: u64| {
        failed |= runtime.block_on(publish(&hub, &data, (count, burst), &mut all_heard)).is_none();
    };
    rounds(WARM_UP);
    section::counted(&mut || rounds(EMITS));
    // Whether the listeners were content is said by their thread.
    drop(end);
    drop(all_heard);
    thread.join().map_err(|_| "the listeners panicked")??;
    expect(!failed, "not every member was reached")?;
    Ok(EMITS * burst * LISTENERS as u64)
}

/// Emits in bursts, and waits each time until everybody has heard. `None` where somebody has not.
async fn publish(
    hub: &Hub,
    data: &Value,
    (rounds, burst): (u64, u64),
    all_heard: &mut tokio::sync::mpsc::Receiver<()>,
) -> Option<()> {
    for _ in 0..rounds {
        for _ in 0..burst {
            let reached = hub.to(ROOM).emit("message", data).ok()?;
            (reached == LISTENERS).then_some(())?;
        }
        all_heard.recv().await?;
    }
    Some(())
}

/// Connects all listeners, and says each time when all have heard a burst; until `ended`.
fn listen(
    addr: SocketAddr,
    burst: u64,
    heard: &tokio::sync::mpsc::Sender<()>,
    ended: &mpsc::Receiver<()>,
) -> Result {
    let mut crowd = Crowd::open(addr, burst)?;
    heard.blocking_send(())?;
    for _ in 0..WARM_UP + EMITS {
        crowd.hear()?;
        heard.blocking_send(())?;
    }
    // The sockets stay open until nothing is counted any more: nothing is sent here, the end of the channel is awaited.
    match ended.recv() {
        Ok(()) | Err(mpsc::RecvError) => Ok(()),
    }
}
