//! The Socket.IO door over real sockets, with packets made by hand: what official clients cannot be made to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]

#[path = "it/connect.rs"]
mod connect;
#[cfg(feature = "eio3")]
#[path = "it/eio3.rs"]
mod eio3;
#[path = "it/foreign.rs"]
mod foreign;
#[path = "it/house.rs"]
mod house;
#[path = "it/junk.rs"]
mod junk;
#[path = "it/leave.rs"]
mod leave;
#[path = "it/peer.rs"]
mod peer;
#[path = "it/slow.rs"]
mod slow;
