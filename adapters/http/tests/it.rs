//! The shared listener over real loopback sockets.

#![allow(clippy::unwrap_used, reason = "the lint spares test functions, but not their helpers")]

#[path = "it/bounds.rs"]
mod bounds;
#[path = "it/drain.rs"]
mod drain;
#[path = "it/routing.rs"]
mod routing;
#[path = "it/support.rs"]
mod support;
#[path = "it/upgrade.rs"]
mod upgrade;
