//! The raw WebSocket door over real sockets, with frames made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]

#[path = "it/addresses.rs"]
mod addresses;
#[path = "it/closing.rs"]
mod closing;
#[path = "it/flow.rs"]
mod flow;
#[path = "it/handshake.rs"]
mod handshake;
#[path = "it/messages.rs"]
mod messages;
#[path = "it/nested.rs"]
mod nested;
#[path = "it/support.rs"]
mod support;
#[path = "it/time.rs"]
mod time;
#[path = "it/tls.rs"]
mod tls;
