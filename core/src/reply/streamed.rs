//! A stream as a result.

use std::fmt;

use futures_util::{Stream, StreamExt};

use super::{IntoReply, Reply, ReplyStream};

/// A stream of results: each item is sent as it comes, while the client's next messages are handled.
///
/// With an ack id the first bare value answers the ack; later ones are dropped and counted. An error in the
/// middle ends the stream: an error ack if none was sent, else the event `exception`.
pub struct Streamed(ReplyStream);

impl Streamed {
    /// Wraps a stream of anything that a handler may return.
    pub fn new<S>(stream: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: IntoReply,
    {
        Self(Box::pin(stream.map(IntoReply::into_reply)))
    }
}

impl IntoReply for Streamed {
    fn into_reply(self) -> Reply {
        Reply::stream(self.0)
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streamed")
    }
}
