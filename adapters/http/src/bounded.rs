//! Request bodies with a deadline and a size.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::{
    body::{HttpBody, text},
    deadline::Deadline,
    phase::Phase,
};

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It did not come in time.
    #[error("the request's body did not come in time")]
    TimedOut,
    /// It is larger than [`HttpConfig::body_size`](crate::HttpConfig::body_size).
    #[error("the request's body is too large")]
    TooLarge,
    /// The connection broke, or the framing is wrong.
    #[error("the request's body broke off")]
    Broken(#[source] io::Error),
}

impl BodyError {
    /// 408, 413 or 400.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The response for it. It tells the peer nothing but the rule.
    pub fn response(&self) -> Response<HttpBody> {
        let line = match self {
            Self::TimedOut => "The body did not come in time",
            Self::TooLarge => "The body is too large",
            Self::Broken(_) => "The body broke off",
        };
        text(self.status(), line)
    }

    fn into_io(self) -> io::Error {
        let kind = match self {
            Self::TimedOut => io::ErrorKind::TimedOut,
            Self::TooLarge => io::ErrorKind::FileTooLarge,
            Self::Broken(error) => return error,
        };
        io::Error::new(kind, self)
    }
}

impl From<io::Error> for BodyError {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Broken)
    }
}

/// Reads a whole request body. On a mount it is bounded by the listener's configuration.
///
/// # Errors
///
/// See [`BodyError`]; [`BodyError::response`] is the answer to give.
pub async fn collect(body: HttpBody) -> Result<Bytes, BodyError> {
    Ok(body.collect().await?.to_bytes())
}

/// A body that fails when it is too slow or too large.
#[derive(Debug)]
pub(crate) struct Bounded {
    inner: HttpBody,
    timeout: Duration,
    deadline: Deadline,
    /// `None`: no bound, and the deadline starts anew with each piece.
    left: Option<usize>,
    /// Told when the body is dropped before its end.
    phase: Option<Arc<Phase>>,
}

impl Bounded {
    /// Bounds the time between two pieces.
    pub(crate) fn moving(inner: HttpBody, timeout: Duration, phase: Arc<Phase>) -> Self {
        Self { inner, timeout, deadline: Deadline::default(), left: None, phase: Some(phase) }
    }

    /// Bounds the time and the size of the whole.
    pub(crate) fn whole(inner: HttpBody, timeout: Duration, size: usize) -> Self {
        Self { inner, timeout, deadline: Deadline::default(), left: Some(size), phase: None }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        match &mut self.left {
            None => self.deadline.disarm(),
            Some(left) => {
                let size = frame.data_ref().map_or(0, Bytes::len);
                *left = left.checked_sub(size).ok_or(BodyError::TooLarge)?;
            }
        }
        Ok(frame)
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.take(frame).map_err(BodyError::into_io))),
            Poll::Ready(None) => {
                self.phase = None;
                Poll::Ready(None)
            }
            Poll::Ready(failed) => Poll::Ready(failed),
            Poll::Pending => {
                let timeout = self.timeout;
                let passed = self.deadline.poll(cx, 0, timeout);
                passed.map(|()| Some(Err(BodyError::TimedOut.into_io())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        match &self.phase {
            Some(phase) if !self.inner.is_end_stream() => phase.leave_unread(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::StreamBody;

    use super::*;
    use crate::body::{boxed, full};

    fn never() -> HttpBody {
        boxed(StreamBody::new(stream::pending::<io::Result<Frame<Bytes>>>()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_times_out() {
        let body = Bounded::whole(never(), Duration::from_secs(10), 10);
        assert!(matches!(collect(boxed_io(body)).await, Err(BodyError::TimedOut)));
    }

    #[tokio::test]
    async fn the_last_byte_that_fits_passes_and_the_next_does_not() {
        let body = |size| boxed_io(Bounded::whole(full("12345"), Duration::from_secs(10), size));
        assert_eq!(collect(body(5)).await.unwrap(), "12345");
        assert!(matches!(collect(body(4)).await, Err(BodyError::TooLarge)));
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_renew_the_deadline_of_a_moving_body() {
        let pieces = stream::iter(0..4).then(|_| async {
            tokio::time::sleep(Duration::from_secs(8)).await;
            Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"x")))
        });
        let pieces = boxed(StreamBody::new(pieces));
        let body = Bounded::moving(pieces, Duration::from_secs(10), Arc::default());
        assert_eq!(collect(boxed_io(body)).await.unwrap(), "xxxx");
    }

    fn boxed_io(body: Bounded) -> HttpBody {
        body.boxed_unsync()
    }
}
