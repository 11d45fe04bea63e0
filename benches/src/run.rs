//! One load on one server that somebody else started.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::Parser;
use serde_json::{Value, json};

use crate::{
    Result, churn,
    client::Target,
    connection::Wire,
    cost, echo, fanout, flood, idle,
    room::Pace,
    rows::{Group, Load},
    script::Reply,
    silence,
};

/// The load and the server that bears it.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// What to measure.
    #[arg(long, value_enum)]
    mode: Group,
    /// The server: `name=addr/path`, loopback only.
    #[arg(long)]
    target: Named,
    /// The server's process id.
    #[arg(long)]
    pid: u32,
    /// What is spoken there.
    #[arg(long, value_enum, default_value = "ws")]
    wire: Wire,
    /// How the server answers.
    #[arg(long, value_enum, default_value = "same")]
    reply: Reply,
    /// Connections, members of each room, or connects in all; as in the table unless given.
    #[arg(long)]
    connections: Option<usize>,
    /// Rooms (fan-out).
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Publishers of each room (fan-out).
    #[arg(long, default_value_t = 1)]
    publishers: usize,
    /// Members that read nothing (slow).
    #[arg(long, default_value_t = 20)]
    slow: usize,
    /// Messages of a connection under way at once (echo, fan-out), or connections at once (churn).
    #[arg(long, default_value_t = 1)]
    window: u64,
    /// Say more only when the whole window is through (fan-out).
    #[arg(long)]
    burst: bool,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128)]
    size: usize,
    /// Messages (echo, slow) or deliveries (fan-out) in all.
    #[arg(long, default_value_t = 200_000)]
    messages: u64,
    /// Seconds after which sending ends (echo), or of silence (idle-cpu).
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Each connection joins one room (idle).
    #[arg(long)]
    room: bool,
    /// Also write the result to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A target and what to call it.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    target: Target,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, rest) = text.split_once('=').ok_or("expected name=addr/path")?;
        let (addr, path) = rest.split_once('/').unwrap_or((rest, ""));
        let addr: SocketAddr = addr.parse().map_err(|error| format!("{addr}: {error}"))?;
        match addr.ip().is_loopback() {
            true => Ok(Self {
                name: name.to_owned(),
                target: Target { addr, path: format!("/{path}"), wire: Wire::Ws },
            }),
            false => Err(format!("{addr} is not loopback")),
        }
    }
}

/// Runs it and prints one line.
pub(crate) fn run(args: &Args) -> Result {
    let target = Target { wire: args.wire, ..args.target.target.clone() };
    let sample = sample(args.load(), &target, args.reply, args.pid)?;
    println!("{}: {:.2} {}", args.target.name, sample.value, sample.detail);
    if let Some(file) = &args.json {
        let result = json!({ "target": args.target.name, "value": sample.value, "detail": sample.detail });
        std::fs::write(file, format!("{result:#}\n"))?;
    }
    Ok(())
}

impl Args {
    fn load(&self) -> Load {
        match self.mode {
            Group::Echo | Group::Layers | Group::SocketIo | Group::Sse => Load::Echo(echo::Echo {
                connections: self.connections.unwrap_or(64),
                window: self.window,
                size: self.size,
                messages: self.messages,
                limit: Duration::from_secs(self.seconds),
            }),
            Group::FanOut => Load::FanOut(fanout::FanOut {
                rooms: self.rooms,
                members: self.connections.unwrap_or(1_000),
                publishers: self.publishers,
                pace: Pace { window: self.window, step: if self.burst { self.window } else { 1 } },
                size: self.size,
                deliveries: self.messages,
            }),
            Group::Churn => Load::Churn(churn::Churn {
                connections: self.connections.unwrap_or(10_000) as u64,
                at_once: self.window as usize,
            }),
            Group::Slow => Load::Slow(flood::Flood {
                readers: self.connections.unwrap_or(200),
                slow: self.slow,
                size: self.size,
                messages: self.messages,
            }),
            Group::IdleCpu => Load::IdleCpu(silence::Silence {
                connections: self.connections.unwrap_or(10_000),
                duration: Duration::from_secs(self.seconds),
            }),
            Group::Idle => Load::Idle(idle::Idle {
                connections: self.connections.unwrap_or(5_000),
                size: self.size,
                room: self.room,
            }),
        }
    }
}

/// One measurement.
#[derive(Debug)]
pub(crate) struct Sample {
    /// What the row's unit counts.
    pub(crate) value: f64,
    /// What else was seen.
    pub(crate) detail: Value,
}

/// Measures `load` on one thread, so that the rest of the machine is the server's.
pub(crate) fn sample(load: Load, target: &Target, reply: Reply, pid: u32) -> Result<Sample> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match load {
        Load::Echo(load) => {
            let outcome = runtime.block_on(echo::run(load, target, reply, pid))?;
            let detail = json!({
                "unit": "µs/msg",
                "messages": outcome.messages,
                "messages_per_second": (outcome.messages as f64 / outcome.elapsed.as_secs_f64()).round(),
                "server_cores": outcome.cpu.as_secs_f64() / outcome.elapsed.as_secs_f64(),
            });
            Ok(Sample { value: outcome.micros_per_message(), detail })
        }
        Load::FanOut(load) => Ok(runtime.block_on(fanout::run(load, target, reply, pid))?.sample()),
        Load::Churn(load) => Ok(runtime.block_on(churn::run(load, target, pid))?.sample()),
        Load::Slow(load) => Ok(runtime.block_on(flood::run(load, target, reply, pid))?.sample()),
        Load::IdleCpu(load) => Ok(runtime.block_on(silence::run(load, target, reply, pid))?.sample()),
        Load::Idle(load) => {
            let outcome = runtime.block_on(idle::run(load, target, reply, pid))?;
            let detail = json!({
                "unit": "B/conn",
                "connections": outcome.connections,
                "server_bytes": cost::memory(pid)?,
            });
            Ok(Sample { value: outcome.bytes_per_connection(), detail })
        }
    }
}
