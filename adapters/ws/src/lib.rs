//! The raw WebSocket adapter of Narthex.
//!
//! [`Ws`] opens a WebSocket (RFC 6455) at the path of each namespace, on the HTTP listener that all adapters of a
//! server share. Any WebSocket client connects; a message is one frame.
//!
//! How it works, in reading order: `handshake` judges the HTTP request, `door` turns it into a client's task,
//! `connection` is that task's loop, and `codec` is the protocol itself, free of sockets and clocks. Everything
//! that one read brings is handled before one write, and a connection at rest owns no buffer.

mod adapter;
mod client;
mod codec;
mod connection;
mod door;
mod handshake;
mod settings;

pub use self::{
    adapter::{Ws, WsServer},
    client::WsClient,
};
