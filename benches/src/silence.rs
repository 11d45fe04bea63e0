//! Silence: many connections, and nobody says anything; the result is the share of a core that this costs.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Result, client::Target, cost, idle, idle::Idle, run::Sample, script::Reply};

/// How long opening the connections may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of the one message of each.
const SIZE: usize = 128;
/// What the last openings left to do is done before the silence counts.
const SETTLE: Duration = Duration::from_secs(1);

/// Who is silent, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    /// How many connections are held.
    pub(crate) connections: usize,
    /// How long they are watched.
    pub(crate) duration: Duration,
}

/// What the silence took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// How many connections were open.
    connections: usize,
    /// CPU time of the server meanwhile.
    cpu: Duration,
    /// Time that passed meanwhile.
    elapsed: Duration,
}

impl Outcome {
    /// Percent of a core.
    pub(crate) fn sample(&self) -> Sample {
        let (cpu, seconds) = (self.cpu.as_secs_f64(), self.elapsed.as_secs_f64());
        let detail = json!({
            "unit": "% of a core",
            "connections": self.connections,
            "seconds": seconds,
            "cpu_ms": cpu * 1e3,
        });
        Sample { value: cpu / seconds * 100.0, detail }
    }
}

/// Runs `load` on the server `pid` at `target`; all connections must be alive at the end.
pub(crate) async fn run(load: Silence, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    cost::require_files(load.connections)?;
    let crowd = Idle { connections: load.connections, size: SIZE, room: false };
    let opened = tokio::time::timeout(LIMIT, idle::open(crowd, crowd.connections, target, reply)).await;
    let clients = opened.map_err(|_| "replies are missing")??;
    tokio::time::sleep(SETTLE).await;
    let (cpu, start) = (cost::cpu(pid)?, Instant::now());
    tokio::time::sleep(load.duration).await;
    let (elapsed, cpu) = (start.elapsed(), cost::cpu(pid)?.saturating_sub(cpu));
    let outcome = Outcome { connections: clients.len(), cpu, elapsed };
    for client in clients {
        client.close().await?;
    }
    Ok(outcome)
}
