//! The paths that are counted.

use crate::{Result, direct, doors, room};

/// One path through the code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    /// What it is called by programs.
    pub(crate) key: &'static str,
    /// What it is called by people.
    pub(crate) name: &'static str,
    /// What its counts are divided by.
    pub(crate) unit: &'static str,
    work: fn() -> Result<u64>,
}

const MESSAGE: &str = "message";
const MEMBER: &str = "member";

/// Every path, the parts before the whole.
pub(crate) fn all() -> &'static [Path] {
    &[
        Path { key: "decode", name: "JSON envelope: decode an event", unit: MESSAGE, work: direct::decode },
        Path { key: "encode", name: "JSON envelope: encode an ack", unit: MESSAGE, work: direct::encode },
        Path {
            key: "dispatch",
            name: "session: echo, decoded before and not encoded",
            unit: MESSAGE,
            work: direct::dispatch,
        },
        Path {
            key: "dispatch-layers",
            name: "the same through five empty layers",
            unit: MESSAGE,
            work: direct::dispatch_through_layers,
        },
        Path { key: "session", name: "session: echo, frame to frame", unit: MESSAGE, work: direct::session },
        Path {
            key: "ws-frame",
            name: "ws door: a frame in that asks for nothing",
            unit: MESSAGE,
            work: doors::frames,
        },
        Path { key: "t-16", name: "T: echo, 16 in flight", unit: MESSAGE, work: doors::yardstick_16 },
        Path { key: "ws-16", name: "ws door: echo, 16 in flight", unit: MESSAGE, work: doors::ws_16 },
        Path {
            key: "ws-16-layers",
            name: "the same through five empty layers",
            unit: MESSAGE,
            work: doors::ws_16_layers,
        },
        Path { key: "t-1", name: "T: echo, 1 in flight", unit: MESSAGE, work: doors::yardstick_1 },
        Path { key: "ws-1", name: "ws door: echo, 1 in flight", unit: MESSAGE, work: doors::ws_1 },
        Path { key: "raw-1", name: "ws door: `/raw` echo, 1 in flight", unit: MESSAGE, work: doors::raw_1 },
        Path {
            key: "socketio-10",
            name: "Socket.IO door: echo, 10 in flight",
            unit: MESSAGE,
            work: doors::socketio_10,
        },
        Path {
            key: "socketio-1",
            name: "Socket.IO door: echo, 1 in flight",
            unit: MESSAGE,
            work: doors::socketio_1,
        },
        Path {
            key: "emit",
            name: "room: emit to 1,000 members, up to their outboxes",
            unit: MEMBER,
            work: room::emit,
        },
        Path {
            key: "room-ws-1",
            name: "room: a member's message to 200 ws members",
            unit: MEMBER,
            work: room::published,
        },
        Path {
            key: "room-ws-8",
            name: "the same, 8 messages in one write",
            unit: MEMBER,
            work: room::published_busy,
        },
        Path {
            key: "room-task-1",
            name: "room: a task of the server's own emits to 200 ws members",
            unit: MEMBER,
            work: room::delivered,
        },
        Path {
            key: "room-task-8",
            name: "the same, 8 emits in a row",
            unit: MEMBER,
            work: room::delivered_busy,
        },
    ]
}

/// Walks the path `key` and says how many messages or members there were.
///
/// # Errors
///
/// When there is no such path, or an answer on it was wrong.
pub(crate) fn work(key: &str) -> Result {
    let path = all().iter().find(|path| path.key == key).ok_or_else(|| format!("no path {key:?}"))?;
    println!("{}", (path.work)()?);
    Ok(())
}
