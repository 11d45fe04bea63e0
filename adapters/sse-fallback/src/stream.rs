//! The body of an open stream.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use narthex_core::{Carrier, CarrierItem, CloseReason};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    sessions::Entry,
    wire::{self, Opening, milliseconds},
};

/// One piece of the body has about so many bytes.
const PIECE: usize = 16 * 1024;

/// What a stream that was taken over is told. The code is the application's range (RFC 6455 section 7.4.2).
const TAKEN_OVER: CloseReason = CloseReason::Disconnected {
    code: 4409,
    text: std::borrow::Cow::Borrowed("another stream has taken over"),
};

/// The events of one stream, from `session` to `close`.
#[derive(Debug)]
pub(crate) struct Events {
    carrier: Carrier,
    entry: Arc<Entry>,
    resumed: bool,
    ping: Duration,
    grace: Duration,
    /// When something was last written.
    last: Instant,
    quiet: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl Events {
    pub(crate) fn new(
        carrier: Carrier,
        entry: Arc<Entry>,
        resumed: bool,
        ping: Duration,
        grace: Duration,
    ) -> Self {
        Self { carrier, entry, resumed, ping, grace, last: Instant::now(), quiet: None, over: false }
    }

    fn write(&mut self, item: &CarrierItem, out: &mut BytesMut) {
        match item {
            CarrierItem::Open { client, received } => {
                let opening = Opening {
                    client: *client,
                    session: &format!("{client}.{}", self.entry.secret.reveal()),
                    resumed: self.resumed,
                    seq: *received,
                    ping: milliseconds(self.ping),
                    grace: milliseconds(self.grace),
                };
                wire::write_opening(out, &opening);
            }
            CarrierItem::Frame { number, frame } => wire::write_frame(out, *number, frame),
            CarrierItem::Ended(reason) => wire::write_close(out, reason),
            CarrierItem::Superseded => wire::write_close(out, &TAKEN_OVER),
            // One that stalled ends without a word, so that its client comes back.
            _ => {}
        }
    }

    /// Ready when nothing was written for the time between two pings.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.last.checked_add(self.ping) else { return Poll::Pending };
        let quiet = self.quiet.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            if quiet.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if quiet.deadline() >= at {
                return Poll::Ready(());
            }
            // Something was written meanwhile: the timer is moved once, and not with every frame.
            quiet.as_mut().reset(at);
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let mut out = BytesMut::new();
        while !this.over && out.len() < PIECE {
            match this.carrier.poll_next(cx) {
                Poll::Ready(Some(item)) => this.write(&item, &mut out),
                Poll::Ready(None) => this.over = true,
                Poll::Pending => break,
            }
        }
        if out.is_empty() {
            if this.over {
                return Poll::Ready(None);
            }
            if this.poll_quiet(cx).is_pending() {
                return Poll::Pending;
            }
            wire::write_ping(&mut out);
        }
        this.last = Instant::now();
        Poll::Ready(Some(Ok(Frame::data(out.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }
}
