//! The adapter contract, and what the core gives an adapter to work with.

mod connect;
mod contract;
mod engine;
mod options;
mod pump;
mod resume;
mod session;
mod settle;
mod shared;

pub use self::{
    connect::{Admission, Connect, Rechecked},
    contract::{Adapter, Capability, WebSocketAdapter},
    options::Options,
    resume::{AttachError, Carried, Carrier, CarrierItem, ReceiveError, Resumable, ResumeOptions},
    session::Session,
};
pub(crate) use self::{contract::Accepting, options::Resources, shared::Shared};
