//! The adapter contract, and what the core gives an adapter to work with.

mod connect;
mod contract;
mod engine;
mod options;
mod pump;
mod session;
mod settle;
mod shared;

pub use self::{
    connect::{Admission, Connect},
    contract::{Adapter, Capability, WebSocketAdapter},
    options::Options,
    session::Session,
};
pub(crate) use self::{contract::Accepting, options::Resources, shared::Shared};
