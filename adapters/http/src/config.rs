//! The bounds of the listener.

use std::time::Duration;

/// The bounds of the HTTP listener. Made with [`HttpConfig::default`] and the methods below.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | [`head_timeout`](Self::head_timeout) | 10 s | the connection is closed |
/// | [`head_size`](Self::head_size) | 16 KiB | 431 and the connection is closed |
/// | [`head_fields`](Self::head_fields) | 100 | 431 and the connection is closed |
/// | [`body_timeout`](Self::body_timeout) | 10 s | adapters answer 408; a user's service reads an error |
/// | [`body_size`](Self::body_size) | 64 KiB, adapters only | 413 |
/// | [`keep_alive`](Self::keep_alive) | 60 s | the idle connection is closed |
/// | [`write_timeout`](Self::write_timeout) | 10 s | the connection is dropped |
/// | [`connections`](Self::connections) | 16,384 | a further connection is closed at once and counted |
/// | [`connections_per_ip`](Self::connections_per_ip) | none | the same |
/// | [`nodelay`](Self::nodelay) | on | |
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until a server has it"]
pub struct HttpConfig {
    pub(crate) head_timeout: Duration,
    pub(crate) head_size: usize,
    pub(crate) head_fields: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) body_size: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) connections: usize,
    pub(crate) connections_per_ip: Option<usize>,
    pub(crate) nodelay: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            head_size: 16 * 1024,
            head_fields: 100,
            body_timeout: Duration::from_secs(10),
            body_size: 64 * 1024,
            keep_alive: Duration::from_secs(60),
            write_timeout: Duration::from_secs(10),
            connections: 16_384,
            connections_per_ip: None,
            nodelay: true,
        }
    }
}

impl HttpConfig {
    /// The time for a request's head, from the accept or from its first byte. A slow one is closed without an answer.
    pub fn head_timeout(mut self, time: Duration) -> Self {
        self.head_timeout = time;
        self
    }

    /// The bytes of a request's head, the request line included.
    pub fn head_size(mut self, bytes: usize) -> Self {
        self.head_size = bytes;
        self
    }

    /// The header fields of a request.
    pub fn head_fields(mut self, fields: usize) -> Self {
        self.head_fields = fields;
        self
    }

    /// The time for a request's body: for all of it where an adapter answers, between two pieces of it where the
    /// user's own service does (uploads may take long, but have to move).
    pub fn body_timeout(mut self, time: Duration) -> Self {
        self.body_timeout = time;
        self
    }

    /// The bytes of a request's body where an adapter answers. The user's own service sets its own bound.
    pub fn body_size(mut self, bytes: usize) -> Self {
        self.body_size = bytes;
        self
    }

    /// How long a connection may be idle between two requests.
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.keep_alive = time;
        self
    }

    /// How long a write may wait for the peer to take even one byte.
    ///
    /// It holds until an upgrade; from then on the adapter has a bound of its own.
    pub fn write_timeout(mut self, time: Duration) -> Self {
        self.write_timeout = time;
        self
    }

    /// Connections open at once, upgraded ones included.
    pub fn connections(mut self, max: usize) -> Self {
        self.connections = max;
        self
    }

    /// Connections open at once from one IPv4 address or one IPv6 /64. Behind a proxy all connections come from the
    /// proxy's address: leave it off there.
    pub fn connections_per_ip(mut self, max: usize) -> Self {
        self.connections_per_ip = Some(max);
        self
    }

    /// Whether `TCP_NODELAY` is set, so that small writes leave at once.
    pub fn nodelay(mut self, on: bool) -> Self {
        self.nodelay = on;
        self
    }
}
