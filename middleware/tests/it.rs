//! The ready-made layers, guards and filters, in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "it/auth/mod.rs"]
mod auth;
#[path = "it/catch_panic.rs"]
mod catch_panic;
#[path = "it/concurrency.rs"]
mod concurrency;
#[path = "it/filters.rs"]
mod filters;
#[path = "it/from_fn.rs"]
mod from_fn;
#[path = "it/guards.rs"]
mod guards;
#[path = "it/handle_error.rs"]
mod handle_error;
#[path = "it/map_reply.rs"]
mod map_reply;
#[path = "it/metrics.rs"]
mod metrics;
#[path = "it/rate_limit.rs"]
mod rate_limit;
#[path = "it/stock.rs"]
mod stock;
#[path = "it/timeout.rs"]
mod timeout;
#[path = "it/trace/mod.rs"]
mod trace;
#[path = "it/validation.rs"]
mod validation;
