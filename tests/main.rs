//! The tests that look at the house as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod architecture;
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
mod gateway;
mod layers;
mod middleware;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod swap;
