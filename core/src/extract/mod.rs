//! Extractors: what a handler's arguments may be.

mod ack;
mod event;
mod json;
mod parts;
mod path;
mod query;
mod state;

use std::future::Future;

pub(crate) use self::event::{Call, Matched, Origin, Unreadable};
pub use self::{
    ack::Ack,
    event::{Event, Registration},
    json::Json,
    parts::{Extension, Handshake, Metadata, RoomName},
    path::Path,
    query::Query,
    state::{Needs, State},
};
use crate::reply::Denied;

/// A type that a handler, a guard or a hook may take as an argument.
///
/// Whatever fails in it answers the message that caused it. Arguments are made one after another, left to right.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "not an extractor",
    note = "use `Json<T>`, `Client`, `Hub`, `State<T>`, `Extension<T>`, `EventName`, `Ack`, `Handshake`, `Path<T>`, `Query<T>`, `Bytes`, or implement `FromEvent`"
)]
pub trait FromEvent: Sized + Send {
    /// Why it could not be made.
    type Rejection: Into<Denied> + Send;

    /// Makes it from an event.
    fn from_event(event: &mut Event) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Says what the server must have been given for this to work, so that its start can refuse.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }
}

impl<T: FromEvent> FromEvent for Option<T> {
    type Rejection = std::convert::Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Self::Rejection> {
        Ok(T::from_event(event).await.ok())
    }

    fn needs(needs: &mut Needs) {
        needs.extend_optional::<T>();
    }
}

impl<T: FromEvent> FromEvent for Result<T, T::Rejection> {
    type Rejection = std::convert::Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Self::Rejection> {
        Ok(T::from_event(event).await)
    }

    fn needs(needs: &mut Needs) {
        needs.extend_optional::<T>();
    }
}

/// Calls a macro once for each number of arguments.
macro_rules! each_arity {
    ($each:ident) => {
        $each!();
        $each!(A1);
        $each!(A1, A2);
        $each!(A1, A2, A3);
        $each!(A1, A2, A3, A4);
        $each!(A1, A2, A3, A4, A5);
        $each!(A1, A2, A3, A4, A5, A6);
        $each!(A1, A2, A3, A4, A5, A6, A7);
        $each!(A1, A2, A3, A4, A5, A6, A7, A8);
        $each!(A1, A2, A3, A4, A5, A6, A7, A8, A9);
        $each!(A1, A2, A3, A4, A5, A6, A7, A8, A9, A10);
    };
}
pub(crate) use each_arity;
