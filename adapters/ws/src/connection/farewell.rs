//! The closing handshake (RFC 6455 section 7), so that the client really reads the close code.
//!
//! A socket that is closed with unread bytes in it is reset by the kernel, and the reset overtakes the close
//! frame. So the write side is shut first, and what still arrives is read and thrown away for a while.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use narthex_core::CloseReason;
use narthex_http::HttpStream;
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    time::timeout,
};

use super::{End, Socket, scratch};
use crate::{client::Carrier, codec::framing};

/// How much is read and thrown away, in bytes. After that the connection only waits for its time to end.
const DISCARD: usize = 256 * 1024;

/// Ends a connection politely and says why it ended.
///
/// Takes at most the write deadline for what is still queued, and then the close timeout.
pub(crate) async fn farewell(socket: Option<Socket>, mut carrier: Box<Carrier>, end: End) -> CloseReason {
    let mut output = Vec::new();
    let mut last = false;
    let (reason, answered) = match end {
        End::Cut(reason) => return reason,
        End::Answered { reason, last: nothing_left } => {
            last = nothing_left;
            (reason, true)
        }
        End::Failed(reason) => {
            framing::write_close(&mut output, reason.code(), reason.text());
            (reason, true)
        }
        End::Asked(reason) => {
            framing::write_close(&mut output, reason.code(), reason.text());
            (reason, false)
        }
    };
    let Some(mut socket) = socket else { return reason };
    let settings = carrier.settings.clone();
    let flushed = timeout(settings.write_deadline, poll_fn(|cx| poll_flush(&mut socket, cx, &mut output)));
    if !matches!(flushed.await, Ok(Ok(()))) {
        return reason;
    }
    if last && socket.stream.as_tcp().is_some() {
        // Both sides have said everything, and nothing is left unread: the server closes first (RFC 6455 section 7.1.1).
        return reason;
    }
    // Whatever happens from here on changes nothing for the client: it has been told.
    let ending = async {
        let mut discard = DISCARD;
        if !answered {
            poll_fn(|cx| carrier.poll_answer(cx, &mut socket.stream, &mut discard)).await;
        }
        if socket.stream.shutdown().await.is_ok() {
            poll_fn(|cx| poll_discard(cx, &mut socket.stream, &mut discard)).await;
        }
    };
    if timeout(settings.close_timeout, ending).await.is_err() {
        tracing::debug!("a client did not end its connection in time");
    }
    reason
}

fn poll_flush(socket: &mut Socket, cx: &mut Context<'_>, output: &mut Vec<u8>) -> Poll<std::io::Result<()>> {
    let (_, waits) = socket.flush(cx, output)?;
    if waits { Poll::Pending } else { Poll::Ready(Ok(())) }
}

impl Carrier {
    /// Reads until the client's close frame, its end, or something that cannot be read.
    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut HttpStream,
        discard: &mut usize,
    ) -> Poll<()> {
        let pending = std::mem::take(&mut self.pending);
        let Self { codec, settings, .. } = self;
        let mut is_over = |bytes: &[u8]| codec.skip_to_close(bytes, &settings.bounds) != Ok(false);
        if is_over(&pending) {
            return Poll::Ready(());
        }
        scratch::with(|scratch| {
            loop {
                let bytes = ready!(poll_some(cx, stream, &mut scratch.input, discard));
                if bytes.is_empty() || is_over(bytes) {
                    return Poll::Ready(());
                }
            }
        })
    }
}

/// Reads until the client's end.
fn poll_discard(cx: &mut Context<'_>, stream: &mut HttpStream, discard: &mut usize) -> Poll<()> {
    scratch::with(|scratch| {
        while !ready!(poll_some(cx, stream, &mut scratch.input, discard)).is_empty() {}
        Poll::Ready(())
    })
}

/// Some bytes, none at the end or after an error. Never ready again once the allowance is used up.
fn poll_some<'a, R: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    stream: &mut R,
    input: &'a mut [u8],
    allowance: &mut usize,
) -> Poll<&'a [u8]> {
    if *allowance == 0 {
        return Poll::Pending;
    }
    let size = input.len().min(*allowance);
    let mut buffer = ReadBuf::new(&mut input[..size]);
    let count = match ready!(Pin::new(stream).poll_read(cx, &mut buffer)) {
        Ok(()) => buffer.filled().len(),
        Err(_) => 0,
    };
    *allowance -= count;
    Poll::Ready(&input[..count])
}
