//! One load on one server that somebody else started.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::Parser;
use serde_json::{Value, json};

use crate::{
    Result,
    client::Target,
    connection::Wire,
    cost, echo, fanout, idle,
    room::Pace,
    rows::{Group, Load},
    script::Reply,
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
    /// Connections, or members of each room; 64 for echo, 1,000 for fan-out, 5,000 for idle unless given.
    #[arg(long)]
    connections: Option<usize>,
    /// Rooms (fan-out).
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Publishers of each room (fan-out).
    #[arg(long, default_value_t = 1)]
    publishers: usize,
    /// Messages of a connection under way at once (echo, fan-out).
    #[arg(long, default_value_t = 1)]
    window: u64,
    /// Say more only when the whole window is through (fan-out).
    #[arg(long)]
    burst: bool,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128)]
    size: usize,
    /// Messages or deliveries in all (echo, fan-out).
    #[arg(long, default_value_t = 200_000)]
    messages: u64,
    /// Seconds after which sending ends (echo).
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
    let load = match args.mode {
        Group::Echo | Group::Layers | Group::SocketIo => Load::Echo(echo::Echo {
            connections: args.connections.unwrap_or(64),
            window: args.window,
            size: args.size,
            messages: args.messages,
            limit: Duration::from_secs(args.seconds),
        }),
        Group::FanOut => Load::FanOut(fanout::FanOut {
            rooms: args.rooms,
            members: args.connections.unwrap_or(1_000),
            publishers: args.publishers,
            pace: Pace { window: args.window, step: if args.burst { args.window } else { 1 } },
            size: args.size,
            deliveries: args.messages,
        }),
        Group::Idle => Load::Idle(idle::Idle {
            connections: args.connections.unwrap_or(5_000),
            size: args.size,
            room: args.room,
        }),
    };
    let target = Target { wire: args.wire, ..args.target.target.clone() };
    let sample = sample(load, &target, args.reply, args.pid)?;
    println!("{}: {:.2} {}", args.target.name, sample.value, sample.detail);
    if let Some(file) = &args.json {
        let result = json!({ "target": args.target.name, "value": sample.value, "detail": sample.detail });
        std::fs::write(file, format!("{result:#}\n"))?;
    }
    Ok(())
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
        Load::FanOut(load) => {
            let outcome = runtime.block_on(fanout::run(load, target, reply, pid))?;
            let seconds = outcome.elapsed.as_secs_f64();
            let detail = json!({
                "unit": "µs/delivery",
                "deliveries": outcome.deliveries,
                "deliveries_per_second": (outcome.deliveries as f64 / seconds).round(),
                "messages_per_write": outcome.messages_per_write,
                "server_cores": outcome.cpu.as_secs_f64() / seconds,
                "generator_cores": outcome.generator.as_secs_f64() / seconds,
            });
            Ok(Sample { value: outcome.micros_per_delivery(), detail })
        }
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
