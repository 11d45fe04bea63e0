//! What travels: requests, messages, errors, and the layer that stands between them and the handlers.

mod message;
mod problem;
mod request;
mod respond;

pub(crate) use self::{
    message::{Message, Recipient},
    problem::invalid,
    request::{Body, HeaderFields, PathParams, QueryParams, Request},
    respond::{Unconfirmed, respond},
};
