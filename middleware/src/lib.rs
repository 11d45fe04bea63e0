//! Ready-made tower layers, guards and filters for Narthex.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`mod@from_fn`] | a message layer from an async fn |
//! | [`mod@catch_panic`] | a message layer that turns panics of what it wraps into replies |
//! | [`filters`] | ready-made error filters: [`filters::nest`], [`filters::error_event`], and filters for some errors |
//! | `rate_limit` (feature) | limits per connection, principal, address and event, and of connects |
//! | `validation` (feature) | `Valid<T>`: payloads that keep the rules of their type |

pub mod catch_panic;
pub mod filters;
pub mod from_fn;
#[cfg(feature = "rate-limit")]
pub mod rate_limit;
#[cfg(feature = "validation")]
pub mod validation;

#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimitLayer;
pub use self::{catch_panic::CatchPanicLayer, from_fn::from_fn};
