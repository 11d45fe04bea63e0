//! The shared listener over real loopback sockets.

#![allow(clippy::unwrap_used, reason = "the lint spares test functions, but not their helpers")]

#[path = "it/bounds.rs"]
mod bounds;
#[path = "it/drain.rs"]
mod drain;
#[path = "it/origins.rs"]
mod origins;
#[path = "it/routing.rs"]
mod routing;
#[path = "it/service.rs"]
mod service;
#[path = "it/support.rs"]
mod support;
#[cfg(feature = "tls")]
#[path = "it/tls.rs"]
mod tls;
#[path = "it/upgrade.rs"]
mod upgrade;
