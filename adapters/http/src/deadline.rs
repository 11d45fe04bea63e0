//! A timer that is only made once somebody has to wait.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// A deadline that starts when it is first polled for a cause, and is reused for the next cause.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    armed_for: Option<u32>,
}

impl Deadline {
    /// Ready once `after` has passed since the first poll for this `cause`.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, cause: u32, after: Duration) -> Poll<()> {
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                if self.armed_for != Some(cause) {
                    sleep.as_mut().reset(Instant::now() + after);
                }
                sleep
            }
            none => none.insert(Box::pin(sleep(after))),
        };
        self.armed_for = Some(cause);
        sleep.as_mut().poll(cx)
    }

    /// Lets a running deadline go on under another cause.
    pub(crate) fn carry(&mut self, cause: u32) {
        if self.armed_for.is_some() {
            self.armed_for = Some(cause);
        }
    }

    /// The next poll starts anew.
    pub(crate) fn disarm(&mut self) {
        self.armed_for = None;
    }
}
