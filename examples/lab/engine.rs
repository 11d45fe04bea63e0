//! An echo without Socket.IO, for the suite of the Engine.IO protocol.

use std::sync::Arc;

use bytes::Bytes;
use engineioxide::{DisconnectReason, Socket, Str, handler::EngineIoHandler};

#[derive(Debug)]
pub(crate) struct Echo;

impl EngineIoHandler for Echo {
    type Data = ();

    fn on_connect(self: Arc<Self>, _: Arc<Socket<()>>) {}

    fn on_disconnect(&self, _: Arc<Socket<()>>, _: DisconnectReason) {}

    fn on_message(self: &Arc<Self>, text: Str, socket: Arc<Socket<()>>) {
        if socket.emit(text).is_err() {
            socket.close(DisconnectReason::TransportError);
        }
    }

    fn on_binary(self: &Arc<Self>, bytes: Bytes, socket: Arc<Socket<()>>) {
        if socket.emit_binary(bytes).is_err() {
            socket.close(DisconnectReason::TransportError);
        }
    }
}
