//! The doors of the house, as the suite reaches them.

mod lines;
mod lossy;
mod ws;

pub(crate) use self::{lines::LinesDoor, lossy::LossyDoor, ws::WsDoor};
