//! The doors of the house, as the suite reaches them.

mod lines;
mod lossy;
#[cfg(feature = "socketio")]
mod socketio;
#[cfg(feature = "sse-fallback")]
mod sse;
mod ws;

#[cfg(feature = "socketio")]
pub(crate) use self::socketio::SocketIoDoor;
#[cfg(feature = "sse-fallback")]
pub(crate) use self::sse::SseDoor;
pub(crate) use self::{lines::LinesDoor, lossy::LossyDoor, ws::WsDoor};
