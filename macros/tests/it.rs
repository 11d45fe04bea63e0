//! What the macros write does what the builders do, and what they say to likely mistakes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "it/debug_handler.rs"]
mod debug_handler;
#[path = "it/gateway.rs"]
mod gateway;
#[path = "it/ui.rs"]
mod ui;
