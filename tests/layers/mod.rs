//! The ready-made layers and guards, and REST, behind every door.

#[cfg(all(feature = "auth", feature = "socketio", feature = "sse-fallback"))]
mod auth;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod calls;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod http;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod kit;
#[cfg(all(feature = "metrics", feature = "socketio", feature = "sse-fallback"))]
mod metrics;
mod order;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod origin;
#[cfg(all(feature = "rate-limit", feature = "socketio", feature = "sse-fallback"))]
mod rate_limit;
#[cfg(all(feature = "rest", feature = "socketio", feature = "sse-fallback"))]
mod rest;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod trace;
#[cfg(all(feature = "validation", feature = "socketio", feature = "sse-fallback"))]
mod validation;
#[cfg(all(feature = "socketio", feature = "sse-fallback"))]
mod wire;
