//! The SSE door over real sockets: streams are read by a parser that is not ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]

#[path = "it/ending.rs"]
mod ending;
#[path = "it/messages.rs"]
mod messages;
#[path = "it/pages.rs"]
mod pages;
#[path = "it/resume.rs"]
mod resume;
#[path = "it/streams.rs"]
mod streams;
#[path = "it/support.rs"]
mod support;
#[path = "it/tickets.rs"]
mod tickets;
