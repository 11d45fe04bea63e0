//! The doors of the house, as the suite reaches them.

mod lines;
mod lossy;
#[cfg(feature = "socketio")]
mod socketio;
mod ws;

#[cfg(feature = "socketio")]
pub(crate) use self::socketio::SocketIoDoor;
pub(crate) use self::{lines::LinesDoor, lossy::LossyDoor, ws::WsDoor};
