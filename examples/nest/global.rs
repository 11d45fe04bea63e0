//! What NestJS calls global: it is on the server here, and every gateway has it.

use narthex::{Denied, Payload};

/// A guard that refuses one word.
pub(crate) async fn not_denied(data: Payload) -> bool {
    data.json_text().is_none_or(|text| text != br#""denied""#)
}

/// A guard that refuses everything.
pub(crate) async fn nobody() -> Result<(), Denied> {
    Err(Denied::forbidden("Forbidden resource"))
}
