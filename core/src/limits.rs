//! Every bound, its default and its consequence.

use std::time::Duration;

use crate::message::DecodeLimits;

/// What happens when a client's outbox is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The client is disconnected with close code 1013. It missed something, so it must start again.
    #[default]
    Disconnect,
    /// The message that does not fit is dropped and counted.
    DropNewest,
    /// The oldest queued messages are dropped and counted until the new one fits.
    DropOldest,
}

/// The bounds of a server. Made with [`Limits::default`] and the methods below.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | `json_depth` | 128 | the message is answered with an error |
/// | `outbox` | 256 messages, 1 MiB | the [`Overflow`] policy acts |
/// | `held` | 64 messages, 256 KiB | the door stops reading; further messages are answered `Overloaded` while the server awaits an ack |
/// | `pending_acks` | 64 a client | `emit_with_ack` fails with kind `Limit` |
/// | `side_tasks` | 64 a client | further concurrent calls and streams are answered `Overloaded` |
/// | `rooms_per_client` | 100 | `join` fails with kind `Limit` |
/// | `rooms` | 100,000 a namespace | `join` fails with kind `Limit` |
/// | `clients` | 10,000 a server | the handshake is refused with 503 |
/// | `handshake_timeout` | 10 s | the handshake is refused with 408 |
/// | `drain_timeout` | 10 s | what still runs is dropped |
#[derive(Clone, Debug)]
pub struct Limits {
    pub(crate) decode: DecodeLimits,
    pub(crate) outbox_messages: usize,
    pub(crate) outbox_bytes: usize,
    pub(crate) overflow: Overflow,
    pub(crate) held_messages: usize,
    pub(crate) held_bytes: usize,
    pub(crate) pending_acks: usize,
    pub(crate) side_tasks: usize,
    pub(crate) rooms_per_client: usize,
    pub(crate) rooms: usize,
    pub(crate) clients: usize,
    pub(crate) handshake_timeout: Duration,
    pub(crate) drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decode: DecodeLimits::default(),
            outbox_messages: 256,
            outbox_bytes: 1024 * 1024,
            overflow: Overflow::Disconnect,
            held_messages: 64,
            held_bytes: 256 * 1024,
            pending_acks: 64,
            side_tasks: 64,
            rooms_per_client: 100,
            rooms: 100_000,
            clients: 10_000,
            handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident($($field:ident: $type:ty),+);)+) => {
        impl Limits {
            $($(#[$doc])* #[must_use] pub fn $name(mut self, $($field: $type),+) -> Self {
                $(self.$field = $field;)+
                self
            })+
        }
    };
}

bounds! {
    /// The outbox of one client: how many messages and how many bytes.
    outbox(outbox_messages: usize, outbox_bytes: usize);
    /// What happens when an outbox is full.
    overflow(overflow: Overflow);
    /// Messages of one client that wait for the one being handled: how many, and how many bytes.
    held(held_messages: usize, held_bytes: usize);
    /// Requests of the server that one client has not answered.
    pending_acks(pending_acks: usize);
    /// Concurrent calls and streams of one client.
    side_tasks(side_tasks: usize);
    /// Rooms that one client may be in.
    rooms_per_client(rooms_per_client: usize);
    /// Rooms of one namespace.
    rooms(rooms: usize);
    /// Clients of the server.
    clients(clients: usize);
    /// The time for the handshake's layers and guards.
    handshake_timeout(handshake_timeout: Duration);
    /// The time that a drain gives to what runs.
    drain_timeout(drain_timeout: Duration);
}

impl Limits {
    /// What happens when an outbox is full.
    #[must_use]
    pub fn overflow_policy(&self) -> Overflow {
        self.overflow
    }

    /// The bounds of an outbox: messages and bytes.
    #[must_use]
    pub fn outbox_bounds(&self) -> (usize, usize) {
        (self.outbox_messages, self.outbox_bytes)
    }

    /// How deep the JSON of one message may nest.
    #[must_use]
    pub fn json_depth(mut self, depth: usize) -> Self {
        self.decode.json_depth = depth;
        self
    }
}
