//! Others that the same loads are put on: who they are, how each is started and spoken to, and how far behind it must be.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::{
    Result,
    client::Target,
    connection::Wire,
    rows::{Load, Row, SOCKETIO},
    run::{self, Sample},
    script::Reply,
    server::Server,
};

/// Who can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// axum's WebSocket with buffers of 4 KiB.
    Axum,
    /// axum's WebSocket with its own buffers.
    AxumDefault,
    /// fastwebsockets on hyper.
    Fastwebsockets,
    /// npm's ws.
    Ws,
    /// NestJS on platform-ws.
    Nest,
    /// npm's socket.io.
    #[value(name = "socket.io")]
    SocketIo,
    /// NestJS on platform-socket.io.
    #[value(name = "nest-socket.io")]
    NestSocketIo,
}

/// Where the servers' programs are.
#[derive(Debug, clap::Args)]
pub(crate) struct Programs {
    /// The built example `lab`.
    #[arg(long)]
    pub(crate) lab: PathBuf,
    /// The built `narthex-bench-peers`.
    #[arg(long, default_value = "target/release/narthex-bench-peers")]
    peer_program: PathBuf,
    /// The script that starts the peers on Node.js.
    #[arg(long, default_value = "benches/peers/node/main.mjs")]
    node_script: PathBuf,
}

impl Programs {
    /// Starts plain socketioxide, which Socket.IO's rows are compared with.
    pub(crate) fn socketioxide(&self) -> Result<Server> {
        rust(&self.peer_program, "socketioxide")
    }

    fn start(&self, peer: Peer) -> Result<Server> {
        match peer {
            Peer::Axum => rust(&self.peer_program, "axum"),
            Peer::AxumDefault => rust(&self.peer_program, "axum-default"),
            Peer::Fastwebsockets => rust(&self.peer_program, "fastwebsockets"),
            Peer::Ws => self.node("ws"),
            Peer::Nest => self.node("nest-ws"),
            Peer::SocketIo => self.node("socket.io"),
            Peer::NestSocketIo => self.node("nest-socket.io"),
        }
    }

    fn node(&self, name: &str) -> Result<Server> {
        Server::start(Path::new("node"), &[self.node_script.as_os_str(), name.as_ref()])
    }
}

fn rust(program: &Path, name: &str) -> Result<Server> {
    Server::start(program, &[name, "--addr", "127.0.0.1:0"])
}

impl Peer {
    /// Every peer, in the order of the table.
    pub(crate) const ALL: [Self; 7] = [
        Self::Axum,
        Self::AxumDefault,
        Self::Fastwebsockets,
        Self::Ws,
        Self::Nest,
        Self::SocketIo,
        Self::NestSocketIo,
    ];

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum ws, 4 KiB buffers",
            Self::AxumDefault => "axum ws",
            Self::Fastwebsockets => "fastwebsockets",
            Self::Ws => "npm ws",
            Self::Nest => "NestJS platform-ws",
            Self::SocketIo => "npm socket.io",
            Self::NestSocketIo => "NestJS platform-socket.io",
        }
    }

    /// What it is called on the command line and in the numbers for programs.
    pub(crate) fn key(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it speaks.
    pub(crate) fn wire(self) -> Wire {
        match self {
            Self::SocketIo | Self::NestSocketIo => Wire::SocketIo,
            Self::Axum | Self::AxumDefault | Self::Fastwebsockets | Self::Ws | Self::Nest => Wire::Ws,
        }
    }

    fn reply(self) -> Reply {
        match self {
            Self::Axum | Self::AxumDefault | Self::Fastwebsockets | Self::Ws => Reply::Same,
            Self::Nest => Reply::Event,
            Self::SocketIo | Self::NestSocketIo => Reply::Packet,
        }
    }

    /// Whether `row` is one that this peer can be measured on, and says something about it.
    pub(crate) fn faces(self, row: &Row) -> bool {
        let is_plain = row.flags.is_empty() && row.reply != Reply::Same;
        let is_common = match row.load {
            Load::Echo(load) => load.connections <= 100,
            Load::Idle(load) => !load.room && load.size <= 128,
            Load::FanOut(_) | Load::Churn(_) => true,
            Load::Slow(_) | Load::IdleCpu(_) => false,
        };
        self.wire() == row.wire && is_plain && is_common
    }

    /// How many times Narthex's cost this peer's must be at least.
    pub(crate) fn must(self, row: &Row) -> Option<f64> {
        match (self, row.load) {
            (Self::Nest, Load::Echo(load)) if load.window == 16 => Some(14.0),
            (Self::Nest, Load::Echo(load)) if load.window == 1 => Some(4.0),
            _ => None,
        }
    }

    /// One sample, on a fresh server.
    pub(crate) fn sample(self, programs: &Programs, row: &Row) -> Result<Sample> {
        let server = programs.start(self)?;
        let path = if self.wire() == Wire::SocketIo { SOCKETIO } else { "/" };
        let target = Target { addr: server.addr(), path: path.to_owned(), wire: self.wire() };
        run::sample(row.load, &target, self.reply(), server.pid())
            .map_err(|error| format!("{}, {}: {error}", self.name(), row.name).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn rows_of(peer: Peer) -> Vec<&'static str> {
        rows::all(5_000).iter().filter(|row| peer.faces(row)).map(|row| row.name).collect()
    }

    #[test]
    fn a_peer_faces_the_rows_that_it_can_bear() {
        let ws = [
            "echo, window 16",
            "echo, window 1",
            "fan-out to 1,000, quiet",
            "fan-out to 1,000, 8 in flight",
            "connect and close, 16 at once",
            "idle",
        ];
        assert_eq!(rows_of(Peer::Nest), ws);
        assert!(rows_of(Peer::SocketIo).iter().all(|name| name.starts_with("Socket.IO")));
    }

    #[test]
    fn nestjs_must_be_far_behind_at_both_windows() {
        let musts = rows::all(1).into_iter().filter(|row| Peer::Nest.faces(row));
        let musts: Vec<f64> = musts.filter_map(|row| Peer::Nest.must(&row)).collect();
        assert_eq!(musts, [14.0, 4.0]);
    }
}
