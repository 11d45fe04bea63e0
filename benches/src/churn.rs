//! Churn: connections that come and go; the result is CPU time for a connect with its upgrade and its close.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{Result, client::Target, connection::Connection, cost, run::Sample};

/// One part in this many goes before the measurement starts.
const WARM_UP: u64 = 10;
/// How long the whole load may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Churn {
    /// Connections in all.
    pub(crate) connections: u64,
    /// How many are there at the same time.
    pub(crate) at_once: usize,
}

/// What it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Connections that were opened and closed.
    connections: u64,
    /// CPU time of the server meanwhile.
    cpu: Duration,
    /// Time that passed meanwhile.
    elapsed: Duration,
}

impl Outcome {
    /// Microseconds of server CPU a connection.
    pub(crate) fn sample(&self) -> Sample {
        let seconds = self.elapsed.as_secs_f64();
        let detail = json!({
            "unit": "µs/connect",
            "connections": self.connections,
            "connects_per_second": (self.connections as f64 / seconds).round(),
            "server_cores": self.cpu.as_secs_f64() / seconds,
        });
        Sample { value: self.cpu.as_secs_f64() * 1e6 / self.connections as f64, detail }
    }
}

/// Runs `load` on the server `pid` at `target`.
pub(crate) async fn run(load: Churn, target: &Target, pid: u32) -> Result<Outcome> {
    cost::require_files(load.at_once)?;
    tokio::time::timeout(LIMIT, measure(load, target, pid)).await.map_err(|_| "connects take too long")?
}

async fn measure(load: Churn, target: &Target, pid: u32) -> Result<Outcome> {
    let visitors = load.at_once.max(1) as u64;
    let share = (load.connections / visitors).max(1);
    visit(visitors, (share / WARM_UP).max(1), target).await?;
    let (cpu, start) = (cost::cpu(pid)?, Instant::now());
    visit(visitors, share, target).await?;
    let (elapsed, cpu) = (start.elapsed(), cost::cpu(pid)?.saturating_sub(cpu));
    Ok(Outcome { connections: visitors * share, cpu, elapsed })
}

/// Lets `visitors` come and go `times`, each one connection after the other.
async fn visit(visitors: u64, times: u64, target: &Target) -> Result {
    let mut tasks = JoinSet::new();
    for _ in 0..visitors {
        let target = target.clone();
        tasks.spawn(async move {
            for _ in 0..times {
                Connection::open(&target).await?.close().await?;
            }
            Result::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
