//! The payload, parsed.

use serde::{Serialize, de::DeserializeOwned};

use super::{Event, FromEvent};
use crate::reply::{Denied, DeniedKind, IntoReply, Reply, json_reply};

/// The payload as a `T`; as a result, any `T` that serde can write.
///
/// An absent payload reads as `null`. A payload of another shape is answered with a `BadRequest`; the parser's
/// words stay in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send> FromEvent for Json<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        event.message.payload().parse().map(Self).map_err(|error| {
            Denied::new(DeniedKind::BadRequest, "The payload does not have the expected shape")
                .with_source(error)
        })
    }
}

impl<T: Serialize + Send> IntoReply for Json<T> {
    fn into_reply(self) -> Reply {
        json_reply(&self.0)
    }
}
