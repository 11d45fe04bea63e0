//! One open WebSocket, before its messages flow.

use std::sync::Arc;

use bytes::Bytes;
use narthex_http::{ConnectionPermit, UpgradedIo};

use crate::{
    codec::Codec,
    connection::{Line, Socket},
    settings::Settings,
};

/// An open WebSocket: what [`Ws`](crate::Ws) hands to its own message loop.
///
/// It is two pointers, so that the futures it travels through stay small.
#[derive(Debug)]
pub struct WsClient {
    pub(crate) line: Arc<Line>,
    pub(crate) carrier: Box<Carrier>,
}

/// What belongs to the connection's task alone: the protocol's state, and what waits for the session.
#[derive(Debug)]
pub(crate) struct Carrier {
    pub(crate) codec: Codec,
    /// Read and not decoded: the session had no room for it.
    pub(crate) pending: Bytes,
    pub(crate) settings: Arc<Settings>,
    /// Its place among the listener's connections, held as long as the socket.
    _permit: ConnectionPermit,
}

impl WsClient {
    /// A client on a connection that HTTP has let go.
    pub(crate) fn new(io: UpgradedIo, settings: Arc<Settings>) -> Self {
        let (stream, leftover, permit) = io.into_parts();
        let carrier = Carrier { codec: Codec::default(), pending: leftover, settings, _permit: permit };
        Self { line: Arc::new(Line::new(Socket::new(stream))), carrier: Box::new(carrier) }
    }
}

#[cfg(test)]
mod tests;
