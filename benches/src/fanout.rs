//! Fan-out: what a publisher sends goes to all members of its room; the result is CPU time a delivery.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::{JoinSet, LocalSet};

use crate::{
    Result,
    client::Target,
    connection::Connection,
    cost,
    publication::Publication,
    room::{Heard, Pace, Room},
    run::Sample,
    script::{Reply, Script},
};

/// One part in this many is sent before the measurement starts.
const WARM_UP: u64 = 10;
/// How long the whole load may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Who says how much to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FanOut {
    /// How many rooms there are.
    pub(crate) rooms: usize,
    /// Members of each; every member gets every message of its room.
    pub(crate) members: usize,
    /// How many of the members of each room publish.
    pub(crate) publishers: usize,
    /// Messages of a publisher under way at once; one is under way until every member has it.
    pub(crate) pace: Pace,
    /// Bytes of a delivery.
    pub(crate) size: usize,
    /// Deliveries in all.
    pub(crate) deliveries: u64,
}

/// What it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Deliveries that were received and checked.
    pub(crate) deliveries: u64,
    /// Messages that one write of a publisher brought, on average.
    pub(crate) messages_per_write: f64,
    /// CPU time of the server meanwhile.
    pub(crate) cpu: Duration,
    /// CPU time of the generator meanwhile.
    pub(crate) generator: Duration,
    /// Time that passed meanwhile.
    pub(crate) elapsed: Duration,
}

impl Outcome {
    /// Microseconds of server CPU a delivery.
    pub(crate) fn sample(&self) -> Sample {
        let seconds = self.elapsed.as_secs_f64();
        let detail = json!({
            "unit": "µs/delivery",
            "deliveries": self.deliveries,
            "deliveries_per_second": (self.deliveries as f64 / seconds).round(),
            "messages_per_write": self.messages_per_write,
            "server_cores": self.cpu.as_secs_f64() / seconds,
            "generator_cores": self.generator.as_secs_f64() / seconds,
        });
        Sample { value: self.cpu.as_secs_f64() * 1e6 / self.deliveries as f64, detail }
    }
}

/// Runs `load` on the server `pid` at `target`. A server that answers with [`Reply::Same`] sends what it gets to
/// everybody who came by the same path; with any other, members join and publish.
pub(crate) async fn run(load: FanOut, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    cost::require_files(load.rooms * load.members)?;
    if load.publishers == 0 || load.publishers > load.members || load.pace.window == 0 {
        return Err("each room needs a publisher among its members, and something under way".into());
    }
    let members = LocalSet::new();
    let measured = members.run_until(measure(load, target, reply, pid));
    tokio::time::timeout(LIMIT, measured).await.map_err(|_| "deliveries are missing")?
}

async fn measure(load: FanOut, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    let (mut rooms, mut members) = (Vec::new(), Vec::new());
    for number in 0..load.rooms {
        let name = format!("bench-{number}");
        let publishers = number * load.publishers..(number + 1) * load.publishers;
        let room = Rc::new(Room::new(reply, load.members, load.pace, publishers, |publisher| {
            Publication::new(reply, load.size, publisher, &name, load.members)
        })?);
        for place in 0..load.members {
            let client = enter(target, reply, &name).await?;
            let publishes = (place < load.publishers).then_some(place);
            members.push(Member::new(client, &room, publishes, reply != Reply::Same));
        }
        rooms.push(room);
    }
    let voices = (load.rooms * load.publishers) as u64;
    let share = (load.deliveries / load.members as u64 / voices).max(load.pace.window);
    let warm_up = (share / WARM_UP).max(1);
    let members = all(members, warm_up).await?;
    let writes = |rooms: &[Rc<Room>]| rooms.iter().map(|room| room.writes()).sum::<u64>();
    let before = (writes(&rooms), cost::cpu(pid)?, cost::cpu(std::process::id())?, Instant::now());
    let members = all(members, warm_up + share).await?;
    let elapsed = before.3.elapsed();
    let outcome = Outcome {
        deliveries: share * voices * load.members as u64,
        messages_per_write: (share * voices) as f64 / (writes(&rooms) - before.0) as f64,
        cpu: cost::cpu(pid)?.saturating_sub(before.1),
        generator: cost::cpu(std::process::id())?.saturating_sub(before.2),
        elapsed,
    };
    for member in members {
        member.client.close().await?;
    }
    Ok(outcome)
}

/// A connection that is in the room.
pub(crate) async fn enter(target: &Target, reply: Reply, room: &str) -> Result<Connection> {
    if reply == Reply::Same {
        return Connection::open(&Target { path: format!("/{room}"), ..target.clone() }).await;
    }
    let mut client = Connection::open(target).await?;
    client.ask(Script::join(reply, room)).await?;
    Ok(client)
}

/// Lets every publisher go on up to message number `end`, until everybody has heard it.
pub(crate) async fn all(members: Vec<Member>, end: u64) -> Result<Vec<Member>> {
    let mut done = Vec::with_capacity(members.len());
    let mut tasks = JoinSet::new();
    for mut member in members {
        tasks.spawn_local(async move {
            match member.publishes {
                Some(publisher) => member.publish(publisher, end).await?,
                None => member.listen(end).await?,
            }
            Result::Ok(member)
        });
    }
    while let Some(member) = tasks.join_next().await {
        done.push(member??);
    }
    Ok(done)
}

/// One member of a room and where it stands.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its connection.
    pub(crate) client: Connection,
    room: Rc<Room>,
    heard: Heard,
    /// Which publisher of the room it is, if it is one.
    publishes: Option<usize>,
    /// Whether what it publishes is acknowledged.
    acks: bool,
}

impl Member {
    /// A member of `room` on `client`, which the server has let in; `acks` says whether what it publishes is answered.
    pub(crate) fn new(client: Connection, room: &Rc<Room>, publishes: Option<usize>, acks: bool) -> Self {
        Self { client, room: Rc::clone(room), heard: room.nothing_heard(), publishes, acks }
    }

    /// Takes and checks messages until all publishers have been heard up to `end`.
    async fn listen(&mut self, end: u64) -> Result {
        while !self.has_heard(end) {
            let Self { client, room, heard, .. } = self;
            client.receive(|text| room.hear(heard, text)).await?;
            client.flush().await?;
        }
        Ok(())
    }

    /// The same, and publishes up to `end`.
    async fn publish(&mut self, publisher: usize, end: u64) -> Result {
        loop {
            let client = &mut self.client;
            self.room.say(publisher, end, |text| client.queue(text));
            client.flush().await?;
            if self.has_heard(end) && (!self.acks || self.room.acked(publisher) == end) {
                return Ok(());
            }
            let Self { client, room, heard, .. } = self;
            let take = |text: &[u8]| match room.is_delivery(text) {
                true => room.hear(heard, text),
                false => room.hear_ack(publisher, text),
            };
            tokio::select! {
                received = client.receive(take) => drop(received?),
                () = room.progress(publisher) => {}
            }
        }
    }

    fn has_heard(&self, end: u64) -> bool {
        self.heard.iter().all(|heard| heard.next() >= end)
    }
}
