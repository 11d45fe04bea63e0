//! Flood: a room is flooded while some members read nothing; the result is the memory that each of those costs.

use std::{rc::Rc, time::Duration};

use serde_json::json;
use tokio::task::LocalSet;

use crate::{
    Result,
    client::Target,
    connection::Connection,
    cost,
    fanout::{Member, all, enter},
    publication::Publication,
    room::{Pace, Room},
    run::Sample,
    script::Reply,
};

/// Messages under way at once: little enough that whoever reads keeps up.
const WINDOW: u64 = 16;
const PACE: Pace = Pace { window: WINDOW, step: 1 };
const ROOM: &str = "bench-flood";
/// How long the whole load may take.
const LIMIT: Duration = Duration::from_secs(60);
/// A server that grows by more than this is stopped, the machine has other work.
const MOST: u64 = 1024 * 1024 * 1024;
/// What a gateway closes with when a client does not read: try again later.
const TRY_AGAIN_LATER: u16 = 1013;

/// The room and what is said in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flood {
    /// Members in all.
    pub(crate) readers: usize,
    /// How many of them never read.
    pub(crate) slow: usize,
    /// Bytes of a message.
    pub(crate) size: usize,
    /// Messages to each member.
    pub(crate) messages: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    load: Flood,
    /// What the server's memory had grown by at most.
    grown: u64,
    /// How many slow members were gone at the end.
    gone: usize,
    /// How many of these were told why.
    told: usize,
}

impl Outcome {
    /// Bytes of server memory a slow member.
    pub(crate) fn sample(&self) -> Sample {
        let detail = json!({
            "unit": "B/slow reader",
            "slow": self.load.slow,
            "flooded_bytes": self.load.messages * self.load.size as u64,
            "grown_bytes": self.grown,
            "gone": self.gone,
            "told": self.told,
        });
        Sample { value: self.grown as f64 / self.load.slow as f64, detail }
    }
}

/// Runs `load` on the server `pid` at `target`. Those who read must get everything, in order; a gateway must have let the
/// others go at the end.
pub(crate) async fn run(load: Flood, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    cost::require_files(load.readers)?;
    if load.slow == 0 || load.slow >= load.readers {
        return Err("some members must be slow, and some not".into());
    }
    let members = LocalSet::new();
    let measured = members.run_until(measure(load, target, reply, pid));
    tokio::time::timeout(LIMIT, measured).await.map_err(|_| "deliveries or closes are missing")?
}

async fn measure(load: Flood, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    let fast = load.readers - load.slow;
    let script = |publisher| Publication::unanswered(reply, load.size, publisher, ROOM);
    let room = Rc::new(Room::new(reply, fast, PACE, 0..1, script)?);
    let (mut members, mut slow) = (Vec::with_capacity(fast), Vec::with_capacity(load.slow));
    for place in 0..fast {
        let client = enter(target, reply, ROOM).await?;
        members.push(Member::new(client, &room, (place == 0).then_some(0), false));
    }
    members = all(members, WINDOW).await?;
    for _ in 0..load.slow {
        slow.push(enter(target, reply, ROOM).await?);
    }
    let before = cost::memory(pid)?;
    let (mut grown, mut sent) = (0, WINDOW);
    while sent < WINDOW + load.messages {
        sent += WINDOW;
        members = all(members, sent).await?;
        grown = grown.max(cost::memory(pid)?.saturating_sub(before));
        if grown > MOST {
            return Err(format!("the server grew by {grown} bytes").into());
        }
    }
    let mut outcome = Outcome { load, grown, gone: 0, told: 0 };
    if reply != Reply::Same {
        members = alone(load, reply, members).await?;
        for client in slow {
            let told = hear_out(client, script(room.first())?).await?;
            outcome.gone += 1;
            outcome.told += usize::from(told);
        }
    }
    for member in members {
        member.client.close().await?;
    }
    Ok(outcome)
}

/// Lets those who read talk on: the answers must count them, and nobody else.
async fn alone(load: Flood, reply: Reply, members: Vec<Member>) -> Result<Vec<Member>> {
    let readers = members.len();
    // The second publisher, so that its messages are no others' repeated.
    let script = |publisher| Publication::new(reply, load.size, publisher, ROOM, readers);
    let room = Rc::new(Room::new(reply, readers, PACE, 1..2, script)?);
    let members = members.into_iter().enumerate();
    let members =
        members.map(|(place, member)| Member::new(member.client, &room, (place == 0).then_some(0), true));
    all(members.collect(), WINDOW).await
}

/// Takes what a slow member had waiting: the flood's beginning, in order. Returns whether it was told why it had to go.
async fn hear_out(client: Connection, mut script: Publication) -> Result<bool> {
    let Connection::Ws(mut client) = client else { return Err("slow readers speak raw WebSocket".into()) };
    let mut next = WINDOW;
    let code = client.hear_out(|text| {
        next += 1;
        script.check_delivery(next - 1, text)
    });
    match code.await? {
        None => Ok(false),
        Some(TRY_AGAIN_LATER) => Ok(true),
        Some(other) => Err(format!("a slow reader was closed with {other}").into()),
    }
}
