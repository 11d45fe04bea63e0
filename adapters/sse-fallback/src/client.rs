//! One client, before its messages flow.

use std::sync::Arc;

use narthex_core::CloseReason;

use crate::sessions::{Entry, Sessions};

/// An open client: what [`Sse`](crate::Sse) hands to its own message loop. Dropped without it, its session has ended.
#[derive(Debug)]
pub struct SseClient {
    pub(crate) entry: Arc<Entry>,
    pub(crate) sessions: Arc<Sessions>,
}

impl Drop for SseClient {
    fn drop(&mut self) {
        self.entry.resumable.abandon(CloseReason::Failed("the session never began".to_owned()));
    }
}
