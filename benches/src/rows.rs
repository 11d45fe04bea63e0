//! The rows of the table: which load, on which path, against which target.

use std::time::Duration;

use clap::ValueEnum;

use crate::{
    churn::Churn, connection::Wire, echo::Echo, fanout::FanOut, flood::Flood, idle::Idle, room::Pace,
    script::Reply, silence::Silence,
};

/// What `compare` can be told to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// CPU time a message.
    Echo,
    /// CPU time a delivery to a room.
    FanOut,
    /// CPU time a connect and close.
    Churn,
    /// Memory a member that reads nothing.
    Slow,
    /// CPU time of clients that say nothing.
    IdleCpu,
    /// Memory a connection.
    Idle,
    /// CPU time that layers add to a message.
    Layers,
    /// Socket.IO, beside plain socketioxide.
    #[value(name = "socketio")]
    SocketIo,
    /// Server-sent events and POST.
    Sse,
}

/// What Narthex is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// T.
    Yardstick,
    /// Plain socketioxide.
    Socketioxide,
    /// The lab without the row's flags.
    Without,
}

/// What a row puts on a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// Messages that come back.
    Echo(Echo),
    /// Messages that go to everybody in a room.
    FanOut(FanOut),
    /// Connections that come and go.
    Churn(Churn),
    /// Members that read nothing while their room is flooded.
    Slow(Flood),
    /// Connections that stay, and are watched.
    IdleCpu(Silence),
    /// Connections that stay.
    Idle(Idle),
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) load: Load,
    /// What is spoken.
    pub(crate) wire: Wire,
    /// The lab's path; the yardstick has only one.
    pub(crate) path: &'static str,
    /// What the lab is started with, beside its address and its door.
    pub(crate) flags: &'static [&'static str],
    /// How the lab answers there; the yardstick sends back what it got.
    pub(crate) reply: Reply,
    /// What must be reached.
    pub(crate) must: Target,
}

/// A bound on a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// At most this many times T.
    Ratio(f64),
    /// At most this many bytes.
    Bytes(f64),
    /// At most this many percent of a core.
    Share(f64),
    /// At most this many µs more than the lab without the row's flags.
    Added(f64),
    /// At most this many bytes more than the other.
    More(f64),
    /// It is only reported.
    Report,
}

impl Row {
    /// The group it belongs to.
    pub(crate) fn group(&self) -> Group {
        match (self.wire, self.load, self.must) {
            (Wire::SocketIo, ..) => Group::SocketIo,
            (Wire::Sse, ..) => Group::Sse,
            (_, _, Target::Added(_)) => Group::Layers,
            (_, Load::Echo(_), _) => Group::Echo,
            (_, Load::FanOut(_), _) => Group::FanOut,
            (_, Load::Churn(_), _) => Group::Churn,
            (_, Load::Slow(_), _) => Group::Slow,
            (_, Load::IdleCpu(_), _) => Group::IdleCpu,
            (_, Load::Idle(_), _) => Group::Idle,
        }
    }

    /// What it is compared with.
    pub(crate) fn base(&self) -> Base {
        match (self.wire, self.must) {
            (_, Target::Added(_)) => Base::Without,
            (Wire::SocketIo, _) => Base::Socketioxide,
            (Wire::Ws | Wire::Sse, _) => Base::Yardstick,
        }
    }

    /// How many TCP connections it holds at once.
    pub(crate) fn connections(&self) -> usize {
        let clients = match self.load {
            Load::Echo(load) => load.connections,
            Load::FanOut(load) => load.rooms * load.members,
            Load::Churn(load) => load.at_once,
            Load::Slow(load) => load.readers,
            Load::IdleCpu(load) => load.connections,
            Load::Idle(load) => load.connections,
        };
        clients * self.wire.sockets()
    }

    /// What its numbers count.
    pub(crate) fn unit(&self) -> &'static str {
        match self.load {
            Load::Echo(_) => "µs/msg",
            Load::FanOut(_) => "µs/delivery",
            Load::Churn(_) => "µs/connect",
            Load::Slow(_) => "B/slow reader",
            Load::IdleCpu(_) => "% of a core",
            Load::Idle(_) => "B/conn",
        }
    }
}

const KIB: f64 = 1024.0;

/// Every row, with `idle` connections in those of [`Group::Idle`].
pub(crate) fn all(idle: usize) -> Vec<Row> {
    vec![
        echo("echo, window 16", (64, 16, 960_000), "/ws", Reply::Ack, 0.38),
        echo("echo, window 1", (64, 1, 200_000), "/ws", Reply::Ack, 1.15),
        echo("/raw echo, window 1", (64, 1, 200_000), "/raw", Reply::Same, 1.0),
        echo("1,000 connections, window 1", (1_000, 1, 200_000), "/ws", Reply::Ack, 1.15),
        layers("five empty message layers", &["--layers", "5"], 0.3),
        fan_out("fan-out to 1,000, quiet", 1, 500_000, 0.85),
        fan_out("fan-out to 1,000, 8 in flight", 8, 1_500_000, 0.3),
        ws("connect and close, 16 at once", CHURN, Target::Ratio(1.2)),
        ws("slow readers, 20 of 200", SLOW, Target::Bytes(KIB * KIB)),
        Row { flags: NO_PINGS, ..ws("silence of 10,000", SILENCE, Target::Share(0.1)) },
        idle_row("idle", Idle { connections: idle, size: 128, room: false }, 3.0),
        idle_row("idle, in one room", Idle { connections: idle, size: 128, room: true }, 3.0),
        idle_row("idle, after 16 KiB", Idle { connections: idle, size: 16 * 1024, room: false }, 3.5),
        socketio("Socket.IO echo, window 10", socketio_echo(10, 300_000), Target::Ratio(0.55)),
        socketio("Socket.IO echo, window 1", socketio_echo(1, 150_000), Target::Report),
        socketio("Socket.IO fan-out, bursts of 16", fan_out_load(BURST, 1_600_000), Target::Ratio(1.1)),
        socketio("Socket.IO idle", idle_load(idle), Target::More(2.0 * KIB)),
        sse("SSE echo, window 16", echo_load(64, 16, 200_000)),
        sse("SSE echo, window 1", echo_load(64, 1, 50_000)),
        sse("SSE fan-out to 1,000, quiet", fan_out_load(Pace { window: 1, step: 1 }, 300_000)),
        sse("SSE fan-out to 1,000, 8 in flight", fan_out_load(Pace { window: 8, step: 1 }, 500_000)),
        sse("SSE idle", idle_load(idle)),
    ]
}

fn echo(
    name: &'static str,
    (connections, window, messages): (usize, u64, u64),
    path: &'static str,
    reply: Reply,
    must: f64,
) -> Row {
    let limit = Duration::from_secs(10);
    let load = Load::Echo(Echo { connections, window, size: 128, messages, limit });
    Row { name, load, wire: Wire::Ws, path, flags: &[], reply, must: Target::Ratio(must) }
}

/// Where messages cost the least, what is added to them shows best.
fn layers(name: &'static str, flags: &'static [&'static str], must: f64) -> Row {
    Row { flags, must: Target::Added(must), ..echo(name, (64, 16, 960_000), "/ws", Reply::Ack, 0.0) }
}

/// One room of 1,000, of whom one publishes.
fn fan_out(name: &'static str, window: u64, deliveries: u64, must: f64) -> Row {
    let load = fan_out_load(Pace { window, step: 1 }, deliveries);
    Row { name, load, wire: Wire::Ws, path: "/ws", flags: &[], reply: Reply::Ack, must: Target::Ratio(must) }
}

fn fan_out_load(pace: Pace, deliveries: u64) -> Load {
    Load::FanOut(FanOut { rooms: 1, members: 1_000, publishers: 1, pace, size: 128, deliveries })
}

const CHURN: Load = Load::Churn(Churn { connections: 10_000, at_once: 16 });
/// Its bound is that of the outbox: no slow reader holds more than it may.
const SLOW: Load = Load::Slow(Flood { readers: 200, slow: 20, size: 4 * 1024, messages: 6_000 });
const SILENCE: Load = Load::IdleCpu(Silence { connections: 10_000, duration: Duration::from_secs(10) });
/// Far enough apart that none falls into the silence.
const NO_PINGS: &[&str] = &["--ping-interval-ms", "300000"];

fn ws(name: &'static str, load: Load, must: Target) -> Row {
    Row { name, load, wire: Wire::Ws, path: "/ws", flags: &[], reply: Reply::Ack, must }
}

fn idle_row(name: &'static str, load: Idle, kib: f64) -> Row {
    let must = Target::Bytes(kib * KIB);
    Row { name, load: Load::Idle(load), wire: Wire::Ws, path: "/ws", flags: &[], reply: Reply::Ack, must }
}

/// Sixteen messages in one write, and the next when everybody has them all.
const BURST: Pace = Pace { window: 16, step: 16 };

/// Where Socket.IO is spoken, by the lab and by others.
pub(crate) const SOCKETIO: &str = "/socket.io/?EIO=4&transport=websocket";

fn socketio(name: &'static str, load: Load, must: Target) -> Row {
    Row { name, load, wire: Wire::SocketIo, path: SOCKETIO, flags: &[], reply: Reply::Packet, must }
}

fn socketio_echo(window: u64, messages: u64) -> Load {
    echo_load(100, window, messages)
}

/// Beside T, which echoes and sends over WebSocket.
fn sse(name: &'static str, load: Load) -> Row {
    let must = Target::Report;
    Row { name, load, wire: Wire::Sse, path: "/sse", flags: &[], reply: Reply::Ack, must }
}

fn echo_load(connections: usize, window: u64, messages: u64) -> Load {
    Load::Echo(Echo { connections, window, size: 128, messages, limit: Duration::from_secs(10) })
}

fn idle_load(connections: usize) -> Load {
    Load::Idle(Idle { connections, size: 128, room: false })
}
