//! Rooms: named sets of clients, and the hub that knows them all.
//!
//! Clients and rooms know each other, so this module and `client` are one level of the house.

mod common;
mod doorkeeper;
mod hub;
mod membership;
mod target;

pub(crate) use self::{common::Common, doorkeeper::Doorkeeper, hub::HubInner, membership::Membership};
pub use self::{hub::Hub, target::Target};
