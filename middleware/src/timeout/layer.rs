use std::time::Duration;

use tower::Layer;

use super::{Timeout, Times};

/// Answers a call that takes too long with `Timeout` ("The handler took too long"), and drops it.
///
/// The time covers all that the layer wraps: inner layers and their waiting, guards, extractors, the handler and its filter. A
/// filter does not see this failure; [`map_errors`](narthex_core::Reply::map_errors) in a layer outside does. What a dropped
/// call has done so far stays done.
///
/// A stream is there as soon as the handler has returned it: [`items`](Self::items) bounds what comes after.
///
/// It needs tokio's timer: a pending call outside of a runtime that has one panics.
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing until something is wrapped in it"]
pub struct TimeoutLayer {
    times: Times,
}

impl TimeoutLayer {
    /// Calls may take this long.
    pub fn new(time: Duration) -> Self {
        Self { times: Times { call: time, item: None } }
    }

    /// The next item of a stream may take this long, too: then the stream is dropped, and ends with the failure.
    pub fn items(mut self, time: Duration) -> Self {
        self.times.item = Some(time);
        self
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, times: self.times }
    }
}
