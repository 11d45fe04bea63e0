//! Ready-made error filters.

mod choose;
mod error_event;
mod nest;

pub use self::{
    choose::{for_error, for_kinds},
    error_event::{ErrorEvent, error_event},
    nest::{NestFilter, nest},
};
use narthex_core::{Denied, DeniedKind};

/// Logs what a client is not told. Core does so for failures that no filter has settled.
fn log(denied: &Denied) {
    if let (DeniedKind::Internal, Some(source)) = (denied.kind(), denied.source()) {
        tracing::error!(error = %source, "a call failed");
    }
}
