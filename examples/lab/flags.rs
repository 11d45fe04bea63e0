//! The lab's flags; each is also read from the environment.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use narthex::Overflow;

#[derive(Debug, Parser)]
pub(crate) struct Flags {
    /// Where to listen.
    #[arg(long, env = "LAB_ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) addr: SocketAddr,
    /// The doors to open.
    #[arg(long, env = "LAB_DOORS", value_delimiter = ',', default_value = "ws")]
    doors: Vec<Door>,
    /// Demand a token signed with this secret (HS256); off when empty.
    #[arg(long, env = "LAB_JWT_SECRET", default_value = "")]
    pub(crate) jwt_secret: String,
    /// An origin that browsers may come from; same-origin when none is given.
    #[arg(long, env = "LAB_ORIGIN", value_delimiter = ',')]
    pub(crate) origin: Vec<String>,
    /// The largest message, in bytes.
    #[arg(long, env = "LAB_MAX_MESSAGE", default_value_t = 64 * 1024)]
    pub(crate) max_message: usize,
    #[arg(long, env = "LAB_PING_INTERVAL_MS", default_value_t = 25_000)]
    ping_interval_ms: u64,
    #[arg(long, env = "LAB_PING_TIMEOUT_MS", default_value_t = 10_000)]
    ping_timeout_ms: u64,
    /// How long a Socket.IO connection may stay without a namespace.
    #[arg(long, env = "LAB_CONNECT_TIMEOUT_MS", default_value_t = 10_000)]
    connect_timeout_ms: u64,
    /// How long a client on SSE may be without a stream.
    #[arg(long, env = "LAB_SSE_GRACE_MS", default_value_t = 30_000)]
    sse_grace_ms: u64,
    #[arg(long, env = "LAB_HANDSHAKE_TIMEOUT_MS", default_value_t = 10_000)]
    handshake_timeout_ms: u64,
    #[arg(long, env = "LAB_OUTBOX_MESSAGES", default_value_t = 256)]
    pub(crate) outbox_messages: usize,
    #[arg(long, env = "LAB_OUTBOX_BYTES", default_value_t = 1024 * 1024)]
    pub(crate) outbox_bytes: usize,
    /// What happens when an outbox is full.
    #[arg(long, env = "LAB_OVERFLOW", value_enum, default_value = "disconnect")]
    overflow: Policy,
    #[arg(long, env = "LAB_MAX_CLIENTS")]
    pub(crate) max_clients: Option<usize>,
    #[arg(long, env = "LAB_MAX_CLIENTS_PER_IP")]
    pub(crate) max_clients_per_ip: Option<usize>,
    #[arg(long, env = "LAB_MAX_ROOMS", default_value_t = 100_000)]
    pub(crate) max_rooms: usize,
    #[arg(long, env = "LAB_DRAIN_MS", default_value_t = 10_000)]
    drain_ms: u64,
    /// Let clients of socket.io 2 in (Engine.IO 3).
    #[arg(long, env = "LAB_EIO3")]
    pub(crate) eio3: bool,
    /// Also echo at the path `/engine.io`, without Socket.IO on top.
    #[arg(long, env = "LAB_ENGINE_ECHO")]
    pub(crate) engine_echo: bool,
    /// Speak TLS with this certificate, a PEM file.
    #[arg(long, env = "LAB_TLS_CERT", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, env = "LAB_TLS_KEY", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Be a service inside of an axum application, which listens.
    #[arg(long, env = "LAB_NESTED", conflicts_with = "tls_cert")]
    pub(crate) nested: bool,
    /// Also take signed cookies only, with this secret; `POST /session` gives one. Off when empty.
    #[arg(long, env = "LAB_COOKIE_SECRET", default_value = "")]
    pub(crate) cookie_secret: String,
    /// Messages a second of one client, and of one address; off when 0.
    #[arg(long, env = "LAB_RATE", default_value_t = 0)]
    pub(crate) rate: u32,
    /// Messages at once; twice the rate when 0.
    #[arg(long, env = "LAB_RATE_BURST", default_value_t = 0)]
    pub(crate) rate_burst: u32,
    /// Connects a second of one address; off when 0.
    #[arg(long, env = "LAB_RATE_CONNECTS", default_value_t = 0)]
    pub(crate) rate_connects: u32,
    /// A proxy, or a network of proxies, whose X-Forwarded-For is believed.
    #[arg(long, env = "LAB_TRUSTED_PROXY", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// How long a call may take; off when 0.
    #[arg(long, env = "LAB_TIMEOUT_MS", default_value_t = 0)]
    pub(crate) timeout_ms: u64,
    /// Calls of a gateway at once, more are answered Overloaded; off when 0.
    #[arg(long, env = "LAB_CONCURRENCY", default_value_t = 0)]
    pub(crate) concurrency: usize,
    /// The same for each client.
    #[arg(long, env = "LAB_CONCURRENCY_PER_CLIENT", default_value_t = 0)]
    pub(crate) concurrency_per_client: usize,
    /// How errors are told.
    #[arg(long, env = "LAB_ERRORS", value_enum, default_value = "plain")]
    pub(crate) errors: Wording,
    /// Wrap each answer: `{"data": …}`.
    #[arg(long, env = "LAB_WRAP")]
    pub(crate) wrap: bool,
    /// Catch panics in a layer.
    #[arg(long, env = "LAB_CATCH_PANIC")]
    pub(crate) catch_panic: bool,
    /// Count everything, for Prometheus at `/metrics`.
    #[arg(long, env = "LAB_METRICS")]
    pub(crate) metrics: bool,
    /// A span for each connection and message, by RUST_LOG; `info,narthex=debug` where that says nothing.
    #[arg(long, env = "LAB_TRACE")]
    pub(crate) trace: bool,
    /// Empty message layers, for measuring.
    #[arg(long, env = "LAB_LAYERS", default_value_t = 0)]
    pub(crate) layers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Door {
    Ws,
    Socketio,
    Sse,
}

/// How errors are told.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Wording {
    /// As an error ack, or the event `exception`.
    Plain,
    /// As NestJS does.
    Nest,
    /// As the event `error`.
    Event,
    /// The same with detail.
    Development,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    Disconnect,
    DropNewest,
    DropOldest,
}

impl Flags {
    pub(crate) fn opens_ws(&self) -> bool {
        self.doors.contains(&Door::Ws)
    }

    pub(crate) fn opens_socketio(&self) -> bool {
        self.doors.contains(&Door::Socketio)
    }

    pub(crate) fn opens_sse(&self) -> bool {
        self.doors.contains(&Door::Sse)
    }

    pub(crate) fn sse_grace(&self) -> Duration {
        Duration::from_millis(self.sse_grace_ms)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn overflow(&self) -> Overflow {
        match self.overflow {
            Policy::Disconnect => Overflow::Disconnect,
            Policy::DropNewest => Overflow::DropNewest,
            Policy::DropOldest => Overflow::DropOldest,
        }
    }

    pub(crate) fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms)
    }

    pub(crate) fn ping_timeout(&self) -> Duration {
        Duration::from_millis(self.ping_timeout_ms)
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        Duration::from_millis(self.handshake_timeout_ms)
    }

    pub(crate) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}
