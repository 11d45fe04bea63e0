//! How one client's frames are written.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use super::OutItem;
use crate::{
    error::{Error, ErrorKind, Result},
    message::{Envelope, Frame, FrameKind, Framing, Outgoing},
};

/// The envelope of a client and its door's framing.
#[derive(Clone)]
pub(crate) struct Wire {
    envelope: Arc<dyn Envelope>,
    framing: Option<Framing>,
    /// The door carries bytes.
    binary: bool,
}

impl Wire {
    pub(crate) fn new(envelope: Arc<dyn Envelope>, framing: Option<Framing>, binary: bool) -> Self {
        Self { envelope, framing, binary }
    }

    pub(crate) fn envelope(&self) -> &dyn Envelope {
        &*self.envelope
    }

    /// Whether the same bytes serve both.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let framing = |wire: &Self| wire.framing.map(|f| f as usize);
        Arc::ptr_eq(&self.envelope, &other.envelope) && framing(self) == framing(other)
    }

    pub(crate) fn encode(&self, outgoing: Outgoing<'_>) -> Result<Frame> {
        let mut buffer = Vec::with_capacity(64);
        let kind = self.encode_into(outgoing, &mut buffer)?;
        Ok(kind.frame(Bytes::from(buffer)))
    }

    pub(crate) fn encode_into(&self, outgoing: Outgoing<'_>, buffer: &mut Vec<u8>) -> Result<FrameKind> {
        let payload = match outgoing {
            Outgoing::Event { payload, .. } | Outgoing::Ack { payload, .. } | Outgoing::Value(payload) => {
                payload
            }
            Outgoing::AckError { error, .. } => error,
        };
        let unsupported = || Error::new(ErrorKind::Unsupported, "this client's envelope has no form for it");
        if payload.has_bytes() && !(self.binary && self.envelope.capability().binary) {
            return Err(unsupported());
        }
        self.envelope.encode(outgoing, buffer).ok_or_else(unsupported)
    }

    /// A frame that many clients share, framed in advance where the door can.
    pub(crate) fn encode_shared(&self, outgoing: Outgoing<'_>) -> Result<OutItem> {
        let frame = self.encode(outgoing)?;
        Ok(match self.framing {
            Some(framing) => OutItem::Framed(framing(&frame)),
            None => OutItem::Frame(frame),
        })
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}
