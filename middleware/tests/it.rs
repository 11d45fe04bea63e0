//! The ready-made layers, guards and filters, in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "it/auth/mod.rs"]
mod auth;
#[path = "it/filters.rs"]
mod filters;
#[path = "it/guards.rs"]
mod guards;
#[path = "it/rate_limit.rs"]
mod rate_limit;
#[path = "it/validation.rs"]
mod validation;
