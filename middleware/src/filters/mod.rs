//! Ready-made error filters.
//!
//! The filter of the handler acts first, then the gateway's, then the server's: each gets what the one before it has left an error.
//! [`nest`] and [`error_event`] settle every failure; [`for_kinds`] and [`for_error`] make a filter act on some.

mod choose;
mod error_event;
mod nest;

pub use self::{
    choose::{for_error, for_kinds},
    error_event::{ErrorEvent, error_event},
    nest::{NestFilter, nest},
};
use std::{error::Error, iter::successors};

use narthex_core::Denied;

/// How many errors are looked at behind a failure.
const MAX_CAUSES: usize = 16;

/// The error that a failure comes from, and those that it wraps.
fn causes(denied: &Denied) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first = denied.source().map(|source| -> &(dyn Error + 'static) { source });
    successors(first, |&error| error.source()).take(MAX_CAUSES)
}

/// Logs what a client is not told. Core does so for failures that no filter has settled.
fn log(denied: &Denied) {
    if let Some(source) = denied.source()
        && denied.claim_log()
    {
        tracing::error!(error = %source, "a call failed");
    }
}
