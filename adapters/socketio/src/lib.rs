//! The Socket.IO adapter of Narthex, on socketioxide.

/// The adapter.
#[derive(Clone, Debug, Default)]
pub struct SocketIo;
