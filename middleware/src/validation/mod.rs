//! Payloads that keep the rules of their type: [`Valid<T>`] is [`Json<T>`](narthex_core::Json) whose value `garde` has checked.
//!
//! The derive wants `garde` itself among your dependencies, at version 0.23 with its feature `derive`; what it gives is
//! [here](garde) too.
//!
//! ```
//! use garde::Validate;
//! use narthex_core::Gateway;
//! use narthex_middleware::Valid;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, Validate)]
//! #[serde(deny_unknown_fields)]
//! struct Say {
//!     #[garde(length(chars, min = 1, max = 1000))]
//!     content: String,
//! }
//!
//! async fn say(Valid(say): Valid<Say>) -> String {
//!     say.content
//! }
//!
//! let gateway = Gateway::new().on("say", say);
//! ```
//!
//! What does not fit is answered with a `BadRequest` and this body, on every door:
//!
//! ```json
//! {"status":"error","message":"Validation failed","errors":[{"path":"content","message":"length is lower than 1"}]}
//! ```
//!
//! At most 32 faults are listed; `more` says how many others there are. A path names fields by `.` and elements by `[n]`; the whole
//! payload's is empty. Nothing of the payload is in the answer but the names of its fields and the keys of its maps: a path is cut after
//! 128 characters, a message after 256, and control characters are replaced.
//!
//! | what does not fit | path | message |
//! | --- | --- | --- |
//! | a rule of garde | the field | garde's, or that of your own rule |
//! | a type | the value | `expected another type` |
//! | a value that its type cannot hold (300 for a `u8`), or a `Deserialize` of your own | the value | `expected another value` |
//! | the number of elements | the array | `expected another length` |
//! | a field that is not there | the field | `missing field` |
//! | a field that nobody knows (`#[serde(deny_unknown_fields)]`) | the field | `unknown field` |
//! | a field that is there twice | the field | `duplicate field` |
//! | a variant of an enum | the value | `unknown variant` |
//! | bytes | empty | `expected JSON, not bytes` |
//! | text that is no JSON | where reading ended | `not JSON` |
//!
//! Of what does not fit by its shape, the first is listed alone. Inside of `#[serde(flatten)]`, untagged and internally tagged enums the
//! path ends at the outermost of them.
//!
//! The rules see every element of an array that was parsed, also where the array itself is too long:
//! [`Handler::max_payload`](narthex_core::Handler::max_payload) bounds the work.
//!
//! # Limits that depend on the client
//!
//! Rules can have a context: `#[garde(context(Limits))]`. It is found as an [`Extension`](narthex_core::Extension) is: on the
//! event, on the client, on the handshake; so a guard can attach it, or `on_connect` can put it on the client. Else it is the state: a server
//! without `.state(limits)` does not start.

mod error;
mod shape;

use std::any::{Any, TypeId};

pub use garde;
use garde::Validate;
use narthex_core::{Client, Denied, Event, FromEvent, Needs, State};
use serde::de::DeserializeOwned;

pub use self::error::{Fault, Invalid};

/// The payload as a `T` that fits its rules.
///
/// A payload of another shape, or against a rule, is answered with a `BadRequest` that lists what does not fit: see the
/// [module](self). Its source is [`Invalid`], for filters that write it in another way. An absent payload reads as `null`.
///
/// # Panics
/// Where a rule does; the call ends as any that panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid<T>(pub T);

impl<T> FromEvent for Valid<T>
where
    T: DeserializeOwned + Validate + Send,
    T::Context: Clone + Send + Sync + 'static,
{
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let context = context::<T::Context>(event).await?;
        let payload = event.message().payload();
        let value: T = payload.parse().map_err(|error| shape::explain::<T>(payload, &error).into_denied())?;
        match value.validate_with(&context) {
            Ok(()) => Ok(Self(value)),
            Err(report) => Err(Invalid::of(&report).into_denied()),
        }
    }

    fn needs(needs: &mut Needs) {
        if TypeId::of::<T::Context>() != TypeId::of::<()>() {
            needs.state::<T::Context>();
        }
    }
}

/// The context of the rules. Most have none.
async fn context<C: Clone + Send + Sync + 'static>(event: &mut Event) -> Result<C, Denied> {
    let none: &(dyn Any + Sync) = &();
    if let Some(none) = <dyn Any>::downcast_ref::<C>(none) {
        return Ok(none.clone());
    }
    let on_client = || event.client().and_then(Client::data::<C>);
    let on_handshake = || event.handshake().extensions().get::<C>().cloned();
    if let Some(found) = event.extensions().get::<C>().cloned().or_else(on_client).or_else(on_handshake) {
        return Ok(found);
    }
    State::from_event(event).await.map(|State(given)| given)
}
