//! Panics of user code: caught, logged, counted, never shown.

use std::any::Any;

use crate::{reply::Denied, stats::Counters};

/// Turns a caught panic into the failure that its client is told.
pub(crate) fn caught(place: &str, panic: &(dyn Any + Send), counters: &Counters) -> Denied {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    tracing::error!(panic = text, "{place} panicked");
    Counters::add(&counters.panics);
    Denied::internal(format!("{place} panicked"))
}
