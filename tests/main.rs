//! The tests that look at the house as a whole.

mod conformance;
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "an example is no library"
)]
#[path = "../examples/custom_adapter.rs"]
mod custom_adapter;
mod doors;
