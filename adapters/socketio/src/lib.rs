//! The Socket.IO adapter of Narthex, on socketioxide.
//!
//! [`SocketIo`] opens Socket.IO (protocol v5 on Engine.IO v4, what socket.io 3 and 4 speak; with the feature `eio3` also what
//! socket.io 2 speaks) at one path of the HTTP listener that all adapters of a server share. Official clients connect unchanged, over WebSocket, HTTP polling and the
//! upgrade between them. Each namespace that a peer is in is one client.
//!
//! How it works, in reading order: `front` takes the HTTP requests and keeps the engine's session ids to itself, `io` is the
//! stream between a socket and the engine (it bounds what the engine does not), `entry` judges a CONNECT, `member` is one
//! client of one namespace, `place` reaches all members of a namespace at once, and `packet` is how messages are written.

mod adapter;
mod bare;
mod connection;
mod door;
mod engine;
mod entry;
mod envelope;
mod front;
mod io;
mod member;
mod packet;
mod place;
mod protocol;
mod registry;
mod settings;
mod websocket;

pub use self::{
    adapter::{SocketIo, SocketIoServer},
    bare::{BareEngine, BareServer},
    member::SocketIoClient,
};
