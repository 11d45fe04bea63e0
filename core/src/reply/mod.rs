//! Replies: what a handler gives back, kept with its error until it is encoded.

mod ack_state;
mod denied;
mod emit;
mod into_reply;
mod map;
mod streamed;

use std::{fmt, pin::Pin, sync::Arc};

use futures_util::Stream;

pub(crate) use self::{ack_state::AckState, into_reply::json_reply};
pub use self::{
    denied::{Denied, DeniedKind},
    emit::Emit,
    into_reply::IntoReply,
    streamed::Streamed,
};
use crate::message::Payload;

/// A stream of replies.
pub(crate) type ReplyStream = Pin<Box<dyn Stream<Item = Reply> + Send>>;

/// What a handler gives back: nothing, a value, an emit, several of them, a stream, or a refusal.
pub struct Reply {
    kind: ReplyKind,
    /// Set where the handler took the [`Ack`](crate::Ack): its own answer is the answer.
    manual: Option<Arc<AckState>>,
    /// Set on the last item of a stream that an error ended.
    ends: bool,
    /// Set where a filter or a layer made it of a failure.
    made_of: Option<DeniedKind>,
}

pub(crate) enum ReplyKind {
    None,
    Value(Payload),
    Emit(Emit),
    Many(Vec<Reply>),
    Stream(ReplyStream),
    Error(Denied),
    ErrorAck(Denied),
}

impl Reply {
    fn of(kind: ReplyKind) -> Self {
        Self { kind, manual: None, ends: false, made_of: None }
    }

    /// Nothing: no frame is sent, but an ack that was asked for is answered without data.
    pub fn none() -> Self {
        Self::of(ReplyKind::None)
    }

    /// A bare value: answers the ack.
    pub fn value(payload: Payload) -> Self {
        Self::of(ReplyKind::Value(payload))
    }

    /// An event to the sender.
    pub fn emit(emit: Emit) -> Self {
        Self::of(ReplyKind::Emit(emit))
    }

    /// Several replies, in order.
    pub fn many(replies: Vec<Reply>) -> Self {
        Self::of(ReplyKind::Many(replies))
    }

    /// A failure.
    pub fn error(denied: impl Into<Denied>) -> Self {
        Self::of(ReplyKind::Error(denied.into()))
    }

    /// A failure that only a client which awaits an answer is told, by an error ack; else nothing is sent. For filters that
    /// tell of the failure in another way too. It is settled: no further filter sees it.
    pub fn error_ack(denied: impl Into<Denied>) -> Self {
        let denied = denied.into();
        let kind = denied.kind();
        Self::of(ReplyKind::ErrorAck(denied)).made_of(kind)
    }

    /// A stream of replies, sent as they come.
    pub fn stream(stream: impl Stream<Item = Reply> + Send + 'static) -> Self {
        Self::of(ReplyKind::Stream(Box::pin(stream)))
    }

    /// The failure, where it is one.
    pub fn denied(&self) -> Option<&Denied> {
        match &self.kind {
            ReplyKind::Error(denied) => Some(denied),
            _ => None,
        }
    }

    /// The bare value, where it is one.
    pub fn payload(&self) -> Option<&Payload> {
        match &self.kind {
            ReplyKind::Value(payload) => Some(payload),
            _ => None,
        }
    }

    /// The failure, or the reply again.
    ///
    /// # Errors
    /// The reply itself, where it is no failure.
    pub fn into_denied(self) -> Result<Denied, Self> {
        match self.kind {
            ReplyKind::Error(denied) => Ok(denied),
            kind => Err(Self { kind, ..self }),
        }
    }

    /// The kind of failure that the message met: of the failure that this is, or that a filter or a layer has made it of. `None` where
    /// all is well, and for a stream, which may still fail.
    pub fn failed_with(&self) -> Option<DeniedKind> {
        self.denied().map(Denied::kind).or(self.made_of)
    }

    /// A filter made it of a failure.
    pub(crate) fn made_of(self, kind: DeniedKind) -> Self {
        Self { made_of: Some(kind), ..self }
    }

    pub(crate) fn with_manual(mut self, manual: Option<Arc<AckState>>) -> Self {
        if manual.is_some() {
            self.manual = manual;
        }
        self
    }

    /// The replies, where it is several.
    pub(crate) fn several_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.kind {
            ReplyKind::Many(replies) => Some(replies),
            _ => None,
        }
    }

    /// Marks the last item of a stream.
    pub(crate) fn ending_stream(mut self) -> Self {
        self.ends = true;
        self
    }

    /// Whether a stream ends with this item: it says so, or it is an error.
    pub(crate) fn ends_stream(&self) -> bool {
        self.ends || self.denied().is_some()
    }

    pub(crate) fn into_parts(self) -> (ReplyKind, Option<Arc<AckState>>) {
        (self.kind, self.manual)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReplyKind::None => f.write_str("None"),
            ReplyKind::Value(payload) => f.debug_tuple("Value").field(payload).finish(),
            ReplyKind::Emit(emit) => emit.fmt(f),
            ReplyKind::Many(replies) => f.debug_list().entries(replies).finish(),
            ReplyKind::Stream(_) => f.write_str("Stream"),
            ReplyKind::Error(denied) => denied.fmt(f),
            ReplyKind::ErrorAck(denied) => f.debug_tuple("ErrorAck").field(denied).finish(),
        }
    }
}
