//! Panics of user code: caught, logged, counted, never shown.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

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

/// Drops what users made: a panic of it ends here.
pub(crate) fn discard<T>(value: T, counters: &Counters) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        drop(caught("a destructor", &*panic, counters));
    }
}
