//! The doors of the house, as the suite reaches them.

mod lines;
mod ws;

pub(crate) use self::{lines::LinesDoor, ws::WsDoor};
