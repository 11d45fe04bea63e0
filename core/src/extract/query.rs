//! The query of the handshake's URL.

use serde::de::DeserializeOwned;

use super::{Event, FromEvent};
use crate::reply::{Denied, DeniedKind};

/// The query of the handshake's URL as a `T` (`application/x-www-form-urlencoded`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromEvent for Query<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        serde_urlencoded::from_str(event.handshake_arc().query()).map(Self).map_err(|error| {
            Denied::new(DeniedKind::BadRequest, "The query does not have the expected shape")
                .with_source(error)
        })
    }
}
