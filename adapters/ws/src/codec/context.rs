//! tungstenite's protocol context, driven from memory. The only file that names tungstenite.

use std::io::{self, Read, Write};

use narthex_core::Frame;
use tungstenite::{
    Error, Message,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext, frame::coding::CloseCode},
};

use super::{Violation, header::MAX_HEADER, walker::Bounds};

/// The read buffer of a context, in bytes. tungstenite clears it before each read, so it is small.
const READ_BUFFER: usize = 512;
/// Frames above this size get a context of their own, which goes when the message has been read.
const LARGE: usize = 4 * 1024;
/// The largest read buffer of such a context, in bytes: what one read of the socket brings.
const LARGE_READ_BUFFER: usize = 16 * 1024;
/// Bound of what tungstenite writes by itself, in bytes: one pong or close frame at a time.
const WRITE_BUFFER: usize = 1024;
/// How tungstenite marks the answer to a close code that must not travel.
const BAD_CODE: &str = "Protocol violation";

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A whole message.
    Frame(Frame),
    /// A ping, which has been answered, or a pong.
    Control,
    /// The peer's close frame, which has been echoed. Without a code it is 1005.
    Close { code: u16, text: String },
}

/// The value of `Sec-WebSocket-Accept` for a key (RFC 6455 section 4.2.2).
pub(crate) fn accept_key(key: &[u8]) -> String {
    tungstenite::handshake::derive_accept_key(key)
}

/// The state of one message in the making.
#[derive(Debug)]
pub(super) struct Context {
    inner: WebSocketContext,
    bounds: Bounds,
    grown: bool,
}

impl Context {
    /// A context for a message whose first frame has `frame_len` bytes, header included.
    pub(super) fn new(frame_len: usize, bounds: &Bounds) -> Self {
        let buffer = if Self::is_large(frame_len) {
            (frame_len + MAX_HEADER).min(LARGE_READ_BUFFER)
        } else {
            READ_BUFFER
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(bounds.message))
            .max_frame_size(Some(bounds.frame.max(125)));
        Self { inner: WebSocketContext::new(Role::Server, Some(config)), bounds: *bounds, grown: false }
    }

    pub(super) fn is_large(frame_len: usize) -> bool {
        frame_len > LARGE
    }

    /// Notes the length of a frame that it is about to read.
    pub(super) fn grew(&mut self, frame_len: usize) {
        self.grown |= Self::is_large(frame_len);
    }

    pub(super) fn is_grown(&self) -> bool {
        self.grown
    }

    pub(super) fn set_bounds(&mut self, bounds: &Bounds) {
        if self.bounds != *bounds {
            self.bounds = *bounds;
            self.inner.set_config(|config| {
                config.max_message_size = Some(bounds.message);
                config.max_frame_size = Some(bounds.frame.max(125));
            });
        }
    }

    /// Takes bytes of one frame, all of them, and gives what was complete with them.
    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        let mut memory = Memory { input: chunk, output: out };
        let message = match self.inner.read(&mut memory) {
            Ok(message) => message,
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(violation(&error)),
        };
        debug_assert!(memory.input.is_empty(), "a message ends with its last frame");
        match message {
            Message::Text(text) => Ok(Some(Received::Frame(Frame::Text(text.into())))),
            Message::Binary(bytes) => Ok(Some(Received::Frame(Frame::Binary(bytes)))),
            Message::Close(frame) => self.close(frame, &mut memory).map(Some),
            Message::Ping(_) => match self.inner.flush(&mut memory) {
                Ok(()) => Ok(Some(Received::Control)),
                Err(error) => Err(violation(&error)),
            },
            Message::Pong(_) | Message::Frame(_) => Ok(Some(Received::Control)),
        }
    }

    fn close(&mut self, frame: Option<CloseFrame>, memory: &mut Memory<'_>) -> Result<Received, Violation> {
        let (code, text) = match frame {
            Some(CloseFrame { code: CloseCode::Protocol, reason }) if reason.as_str() == BAD_CODE => {
                return Err(Violation::Protocol("invalid close code"));
            }
            Some(CloseFrame { code, reason }) => (code.into(), reason.as_str().to_owned()),
            None => (1005, String::new()),
        };
        match self.inner.flush(memory) {
            // A server's context ends with the echo, and says so.
            Ok(()) | Err(Error::ConnectionClosed) => Ok(Received::Close { code, text }),
            Err(error) => Err(violation(&error)),
        }
    }
}

fn violation(error: &Error) -> Violation {
    match error {
        Error::Utf8(_) => Violation::Utf8,
        Error::Capacity(_) => Violation::TooLarge,
        _ => Violation::Protocol("protocol error"),
    }
}

/// What tungstenite takes for a socket: bytes that were read, and a buffer for what it writes.
struct Memory<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Read for Memory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a plain tungstenite server makes of the same bytes: everything it receives, then its failure.
#[cfg(test)]
pub(super) fn plain_server(input: &[u8], bounds: &Bounds) -> (Vec<Received>, Option<Violation>, Vec<u8>) {
    let mut output = Vec::new();
    let mut context = Context::new(0, bounds);
    let mut memory = Memory { input, output: &mut output };
    let mut received = Vec::new();
    let failure = loop {
        match context.inner.read(&mut memory) {
            Ok(Message::Text(text)) => received.push(Received::Frame(Frame::Text(text.into()))),
            Ok(Message::Binary(bytes)) => received.push(Received::Frame(Frame::Binary(bytes))),
            Ok(Message::Close(frame)) => {
                let (code, text) =
                    frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                received.push(Received::Close { code, text });
            }
            Ok(_) => received.push(Received::Control),
            Err(Error::Io(_) | Error::ConnectionClosed) => break None,
            Err(error) => break Some(violation(&error)),
        }
    };
    (received, failure, output)
}
