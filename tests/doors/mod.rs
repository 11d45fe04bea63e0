//! The doors of the house, as the suite reaches them.

mod lines;
mod lossy;
mod sse;
mod ws;

pub(crate) use self::{lines::LinesDoor, lossy::LossyDoor, sse::SseDoor, ws::WsDoor};
