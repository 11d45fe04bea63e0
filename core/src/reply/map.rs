//! Mapping: what layers do with the results in a reply.

use futures_util::{Stream, StreamExt};

use super::{Denied, Emit, IntoReply, Reply, ReplyKind, ReplyStream};
use crate::message::Payload;

/// Mapping keeps the order of results, the end of a stream that failed, and who answers the ack: where the handler has taken
/// the [`Ack`](crate::Ack), its own answer stays the answer. A panic of `map` ends the call, or the stream, as a panic of
/// the handler does.
impl Reply {
    /// Maps bare values: the value itself, each of several, and each item of a stream as it comes. Emits and failures stay.
    ///
    /// ```
    /// use narthex_core::{Json, Payload, Reply};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Wrapped {
    ///     data: Payload,
    /// }
    ///
    /// fn wrap(reply: Reply) -> Reply {
    ///     reply.map_values(|data| Json(Wrapped { data }))
    /// }
    /// ```
    #[must_use]
    pub fn map_values<R: IntoReply>(self, map: impl Fn(Payload) -> R + Clone + Send + 'static) -> Self {
        self.map_each(move |kind| match kind {
            ReplyKind::Value(payload) => map(payload).into_reply(),
            kind => Self::of(kind),
        })
    }

    /// Maps emits: the emit itself, each of several, and each item of a stream as it comes. Bare values and failures stay, an
    /// emit whose data could not be written among these.
    #[must_use]
    pub fn map_emits<R: IntoReply>(self, map: impl Fn(Emit) -> R + Clone + Send + 'static) -> Self {
        self.map_each(move |kind| match kind {
            ReplyKind::Emit(emit) if emit.payload.is_ok() => map(emit).into_reply(),
            kind => Self::of(kind),
        })
    }

    /// Maps failures: the failure itself, each of several, and the one that ends a stream, which ends all the same.
    #[must_use]
    pub fn map_errors<R: IntoReply>(self, map: impl Fn(Denied) -> R + Clone + Send + 'static) -> Self {
        self.map_each(move |kind| match kind {
            ReplyKind::Error(denied) => map(denied).into_reply(),
            kind => Self::of(kind),
        })
    }

    /// Puts something around each stream in it: the stream itself, and each among several.
    #[must_use]
    pub fn map_streams<S>(self, mut map: impl FnMut(ReplyStream) -> S) -> Self
    where
        S: Stream<Item = Self> + Send + 'static,
    {
        self.wrap_streams(&mut map)
    }

    fn wrap_streams<S>(self, map: &mut impl FnMut(ReplyStream) -> S) -> Self
    where
        S: Stream<Item = Self> + Send + 'static,
    {
        let kind = match self.kind {
            ReplyKind::Stream(stream) => ReplyKind::Stream(Box::pin(map(stream))),
            ReplyKind::Many(replies) => {
                ReplyKind::Many(replies.into_iter().map(|reply| reply.wrap_streams(map)).collect())
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// Maps all that is neither several nor a stream.
    fn map_each(self, map: impl Fn(ReplyKind) -> Self + Clone + Send + 'static) -> Self {
        let made_of = self.failed_with();
        let Self { kind, manual, ends, .. } = self;
        let mapped = match kind {
            ReplyKind::Many(replies) => {
                Self::many(replies.into_iter().map(|reply| reply.map_each(map.clone())).collect())
            }
            ReplyKind::Stream(stream) => Self::stream(stream.map(move |item| {
                let ends = item.ends_stream();
                let mapped = item.map_each(map.clone());
                if ends { mapped.ending_stream() } else { mapped }
            })),
            kind => map(kind),
        };
        Self { ends: ends || mapped.ends, made_of, ..mapped.with_manual(manual) }
    }
}
