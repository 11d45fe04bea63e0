//! Idle: many connections that have said something once; the result is memory a connection.

use std::time::Duration;

use crate::{
    Result,
    client::Target,
    connection::Connection,
    cost,
    script::{Reply, Script},
};

/// Connections that come and go before the measurement, so that a server's fixed buffers are in place.
const WARM_UP: usize = 64;
/// How long the whole load may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Who stays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// How many connections are held.
    pub(crate) connections: usize,
    /// Bytes of the one message of each.
    pub(crate) size: usize,
    /// Whether each then joins one room; only a gateway can do that.
    pub(crate) room: bool,
}

/// What they hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// How many connections were open.
    pub(crate) connections: usize,
    /// What the server's memory grew by.
    pub(crate) grown: u64,
}

impl Outcome {
    /// Bytes of server memory a connection.
    pub(crate) fn bytes_per_connection(&self) -> f64 {
        self.grown as f64 / self.connections as f64
    }
}

/// Runs `load` on the server `pid` at `target`.
pub(crate) async fn run(load: Idle, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    cost::require_files(load.connections + WARM_UP)?;
    tokio::time::timeout(LIMIT, measure(load, target, reply, pid)).await.map_err(|_| "replies are missing")?
}

async fn measure(load: Idle, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    drop(open(load, WARM_UP, target, reply).await?);
    let before = cost::memory(pid)?;
    let clients = open(load, load.connections, target, reply).await?;
    let grown = cost::memory(pid)?.saturating_sub(before);
    Ok(Outcome { connections: clients.len(), grown })
}

/// Opens `count` connections, each of which says one thing and gets its answer.
pub(crate) async fn open(load: Idle, count: usize, target: &Target, reply: Reply) -> Result<Vec<Connection>> {
    let mut clients = Vec::with_capacity(count);
    for connection in 0..count {
        let mut client = Connection::open(target).await?;
        client.ask(Script::echo(reply, load.size, connection)?).await?;
        if load.room {
            client.ask(Script::join(reply, "bench")).await?;
        }
        client.shrink();
        clients.push(client);
    }
    Ok(clients)
}
