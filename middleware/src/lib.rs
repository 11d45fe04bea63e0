//! Ready-made tower layers, guards and filters for Narthex.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`mod@from_fn`] | a layer from an async fn, for messages and for the handshake |
//! | [`mod@map_reply`] | an interceptor: a message layer that maps replies |
//! | [`timeout`] | a message layer that answers calls which take too long |
//! | [`concurrency`] | a message layer that bounds how many calls run at once, of all clients or of each |
//! | [`handle_error`] | makes fallible tower layers fit around messages |
//! | [`mod@catch_panic`] | a message layer that turns panics of what it wraps into replies |
//! | [`filters`] | ready-made error filters: [`filters::nest`], [`filters::error_event`], and filters for some errors |
//! | `rate_limit` (feature) | limits per connection, principal, address and event, and of connects |
//! | [`guards`] | a guard for roles and scopes that handlers ask for by metadata |
//! | `auth` (feature) | layers of the handshake for tokens (JWT) and signed cookies, and one-time tickets |
//! | `validation` (feature) | `Valid<T>`: payloads that keep the rules of their type |
//! | [`trace`] | spans of connections and messages, and W3C Trace Context |
//! | `metrics` (feature) | metrics of connections and messages, by the `metrics` facade |

#[cfg(feature = "auth")]
pub mod auth;
pub mod catch_panic;
pub mod concurrency;
pub mod filters;
pub mod from_fn;
pub mod guards;
pub mod handle_error;
pub mod map_reply;
#[cfg(feature = "metrics")]
pub mod metrics;
mod outcome;
#[cfg(feature = "rate-limit")]
pub mod rate_limit;
pub mod timeout;
pub mod trace;
#[cfg(feature = "validation")]
pub mod validation;

#[cfg(feature = "auth")]
pub use self::auth::{Claims, CookieLayer, Credentials, JwtKey, JwtKeys, JwtLayer, Tickets};
#[cfg(feature = "metrics")]
pub use self::metrics::MetricsLayer;
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimitLayer;
#[cfg(feature = "validation")]
pub use self::validation::Valid;
pub use self::{
    catch_panic::CatchPanicLayer, concurrency::ConcurrencyLayer, from_fn::from_fn,
    handle_error::HandleErrorLayer, map_reply::map_reply, timeout::TimeoutLayer, trace::TraceLayer,
};
