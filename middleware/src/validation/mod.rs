//! Validated payloads.
//!
//! [`Valid<T>`] is [`Json<T>`](narthex_core::Json) whose value keeps the rules that its type has by `garde`: add that crate, at version
//! 0.23 with its feature `derive`, and derive `Validate`. A payload that breaks them is answered with where and why, the same behind
//! every door:
//!
//! ```json
//! {"status":"error","message":"Validation failed","errors":[{"path":"content","message":"length is lower than 1"}]}
//! ```
//!
//! One that has another shape is told so in the same form: a field that is missing or of another type, and with serde's
//! `deny_unknown_fields` one that nobody knows.

mod error;

use std::any::TypeId;

use garde::Validate;
use narthex_core::{Denied, Event, FromEvent, Needs, State};
use serde::de::DeserializeOwned;

use self::error::{broken, misshapen};

/// The payload as a `T` that keeps its rules.
///
/// ```
/// use garde::Validate;
/// use narthex_core::Gateway;
/// use narthex_middleware::validation::Valid;
///
/// #[derive(serde::Deserialize, Validate)]
/// #[serde(deny_unknown_fields)]
/// struct Say {
///     #[garde(length(chars, min = 1, max = 1000))]
///     content: String,
/// }
///
/// async fn say(Valid(Say { content }): Valid<Say>) -> String {
///     content
/// }
///
/// let gateway = Gateway::new().on("say", say);
/// ```
///
/// Rules may look at a context (`#[garde(context(Bounds))]`): a value of that type which a layer or guard has put into the event's
/// extensions, else the state of the gateway or the server. A server whose handlers ask for a context that is no state does not start.
///
/// Nothing of the payload is in the answer but the names of its fields and the keys of its maps, cut after 128 characters; at most 32
/// faults are told.
///
/// A payload is parsed whole before its rules are checked: bound it with
/// [`max_payload`](narthex_core::Handler::max_payload) and [`max_depth`](narthex_core::Handler::max_depth).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid<T>(pub T);

impl<T> FromEvent for Valid<T>
where
    T: DeserializeOwned + Validate + Send,
    T::Context: Clone + Send + Sync + 'static,
{
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let value: T = misshapen::parse(event.message().payload())?;
        let context = match event.extensions().get::<T::Context>().cloned().or_else(nothing) {
            Some(context) => context,
            None => State::<T::Context>::from_event(event).await?.0,
        };
        match value.validate_with(&context) {
            Ok(()) => Ok(Self(value)),
            Err(report) => Err(broken(&report)),
        }
    }

    fn needs(needs: &mut Needs) {
        if nothing::<T::Context>().is_none() {
            needs.state::<T::Context>();
        }
    }
}

/// The context of rules that need none.
fn nothing<C: 'static>() -> Option<C> {
    let unit: Box<dyn std::any::Any> = Box::new(());
    (TypeId::of::<C>() == TypeId::of::<()>()).then(|| unit.downcast().ok().map(|context| *context)).flatten()
}
