//! The ready-made layers and guards, behind every door.

#[cfg(feature = "auth")]
mod auth;
mod kit;
#[cfg(feature = "validation")]
mod validation;
