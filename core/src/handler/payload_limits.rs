//! Bounds of one handler's payload.

use crate::{
    message::{DecodeLimits, Payload},
    reply::{Denied, DeniedKind},
};

/// What the payload of one handler may be, checked before anything parses it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PayloadLimits {
    pub(crate) bytes: Option<usize>,
    pub(crate) depth: Option<usize>,
}

impl PayloadLimits {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_none() && self.depth.is_none()
    }

    /// # Errors
    /// Kind `TooLarge`, with the bound.
    pub(crate) fn check(&self, payload: &Payload) -> Result<(), Denied> {
        if let Some(most) = self.bytes.filter(|most| payload.len() > *most) {
            let text = format!("The payload is larger than {most} bytes");
            return Err(Denied::new(DeniedKind::TooLarge, text));
        }
        let (Some(depth), Some(text)) = (self.depth, payload.json_text()) else { return Ok(()) };
        DecodeLimits::default().with_json_depth(depth).check_depth(text).map_err(|_| {
            Denied::new(DeniedKind::TooLarge, format!("The payload nests deeper than {depth} levels"))
        })
    }
}
