//! The generator's side of one connection: handshake, frames of a whole read, one write.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::ErrorKind,
    mem,
    net::SocketAddr,
    pin::Pin,
    task::{Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

use crate::{
    Result,
    connection::Wire,
    frame::{self, CLOSE, PING, PONG, TEXT},
};

/// The nonce of the RFC's example and its answer: a fixed pair spares the generator a hash.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const READ: usize = 8 * 1024;
const LONGEST_HEAD: usize = 8 * 1024;

thread_local! {
    /// What a read brought. One for all connections: it stays in the cache, which thousands of buffers would not.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into());
}

/// Where a server listens and which path is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The server's address.
    pub(crate) addr: SocketAddr,
    /// The path of the upgrade request.
    pub(crate) path: String,
    /// What is spoken there.
    pub(crate) wire: Wire,
}

/// One open WebSocket.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    mask: u32,
}

impl Client {
    /// Connects and upgrades.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(target.addr).await?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream, inbox: Vec::new(), outbox: Vec::new(), mask: 0x9E37_79B9 };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
            target.path, target.addr,
        );
        client.stream.write_all(request.as_bytes()).await?;
        client.read_head().await?;
        Ok(client)
    }

    async fn read_head(&mut self) -> Result {
        let end = loop {
            if let Some(at) = self.inbox.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.inbox.len() > LONGEST_HEAD {
                return Err("the answer to the upgrade has no end".into());
            }
            self.read().await?;
        };
        let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
            return Err(
                format!("the upgrade was refused: {}", head.lines().next().unwrap_or_default()).into()
            );
        }
        self.inbox.drain(..end);
        Ok(())
    }

    /// Puts a message into the next write.
    pub(crate) fn queue(&mut self, text: &[u8]) {
        let key = self.next_mask();
        frame::push(&mut self.outbox, TEXT, text, key);
    }

    /// Writes everything queued, in one call where the kernel takes it.
    pub(crate) async fn flush(&mut self) -> Result {
        if !self.outbox.is_empty() {
            self.stream.write_all(&self.outbox).await?;
            self.outbox.clear();
        }
        Ok(())
    }

    /// Reads once and hands every whole message to `each`; returns how many there were.
    pub(crate) async fn receive(&mut self, mut each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut read = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
                Poll::Ready(self.take(read.filled(), &mut each))
            })
        })
        .await
    }

    /// Hands on what is whole and keeps the rest.
    fn take(&mut self, read: &[u8], each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        if read.is_empty() {
            return Err("the server closed the connection".into());
        }
        let mut kept = mem::take(&mut self.inbox);
        let (used, messages) = if kept.is_empty() {
            let (used, messages) = self.frames(read, each)?;
            kept.extend_from_slice(&read[used..]);
            (0, messages)
        } else {
            kept.extend_from_slice(read);
            self.frames(&kept, each)?
        };
        kept.drain(..used);
        self.inbox = kept;
        Ok(messages)
    }

    /// Goes through the whole frames of `bytes`; returns their length and the number of messages.
    fn frames(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8]) -> Result) -> Result<(usize, usize)> {
        let (mut used, mut messages) = (0, 0);
        while let Some(frame) = frame::first(&bytes[used..])? {
            used += frame.length;
            match frame.opcode {
                TEXT => {
                    each(frame.payload)?;
                    messages += 1;
                }
                PING => frame::push(&mut self.outbox, PONG, frame.payload, self.mask.to_le_bytes()),
                PONG => {}
                other => return Err(format!("the server sent a frame with opcode {other:#x}").into()),
            }
        }
        Ok((used, messages))
    }

    /// Waits for one message, which may have come together with what was read before.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            while let Some(frame) = frame::first(&self.inbox)? {
                let text = (frame.opcode == TEXT).then(|| frame.payload.to_vec());
                let used = frame.length;
                self.inbox.drain(..used);
                if let Some(text) = text {
                    return Ok(text);
                }
            }
            self.read().await?;
        }
    }

    /// Closes, waits until the server is gone too, and makes sure that it had nothing more to say: a reply too many is a
    /// wrong count.
    pub(crate) async fn close(self) -> Result {
        self.close_beside(|_| false).await
    }

    /// The same where a message that `is_chatter` may come at any time.
    pub(crate) async fn close_beside(mut self, is_chatter: impl Fn(&[u8]) -> bool) -> Result {
        let key = self.next_mask();
        frame::push(&mut self.outbox, CLOSE, &1000_u16.to_be_bytes(), key);
        self.flush().await?;
        let check = |text: &[u8]| if is_chatter(text) { Ok(()) } else { Err("a reply too many".into()) };
        match self.hear_out(check).await? {
            Some(_) => Ok(()),
            None => Err("the server went without a close frame".into()),
        }
    }

    /// Hands to `each` what the server has left to say until it is gone; returns the code of its close frame, where it
    /// had the time to send one.
    pub(crate) async fn hear_out(&mut self, mut each: impl FnMut(&[u8]) -> Result) -> Result<Option<u16>> {
        let mut code = None;
        loop {
            let mut used = 0;
            while let Some(frame) = frame::first(&self.inbox[used..])? {
                used += frame.length;
                match frame.opcode {
                    _ if code.is_some() => return Err("a frame after the close frame".into()),
                    CLOSE => {
                        code = Some(frame.payload.first_chunk().copied().map_or(1005, u16::from_be_bytes))
                    }
                    TEXT => each(frame.payload)?,
                    _ => {}
                }
            }
            self.inbox.drain(..used);
            self.inbox.reserve(READ);
            match self.stream.read_buf(&mut self.inbox).await {
                Ok(0) => return Ok(code),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(code),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives back the buffers; thousands of idle clients must not crowd the server out of memory.
    pub(crate) fn shrink(&mut self) {
        self.inbox.shrink_to_fit();
        self.outbox.shrink_to_fit();
    }

    async fn read(&mut self) -> Result {
        self.inbox.reserve(READ);
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }

    /// xorshift: cheap, never zero, and different for every frame.
    fn next_mask(&mut self) -> [u8; 4] {
        self.mask ^= self.mask << 13;
        self.mask ^= self.mask >> 17;
        self.mask ^= self.mask << 5;
        self.mask.to_le_bytes()
    }
}
