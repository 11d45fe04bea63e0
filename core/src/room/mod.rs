//! Rooms: named sets of clients, and the hub that knows them all.
//!
//! Clients and rooms know each other, so this module and `client` are one level of the house.

mod hub;
mod membership;
mod target;

pub use self::{hub::Hub, target::Target};
pub(crate) use self::{hub::HubInner, membership::Membership};
