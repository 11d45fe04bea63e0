//! HTTP/1.1 as a client reads it, as far as the generator needs it.

use std::net::SocketAddr;

use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::Result;

const LONGEST_HEAD: usize = 8 * 1024;

/// A connection without Nagle's delay.
pub(crate) async fn connect(addr: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads a head; returns it with what came behind it.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(at + 4);
            return Ok((String::from_utf8(read)?, rest));
        }
        if read.len() > LONGEST_HEAD {
            return Err("an answer's head has no end".into());
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err("the server closed the connection before its answer".into());
        }
    }
}

/// Reads a head and the body that it announces, of no bytes unless it says so.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let (head, mut body) = read_head(stream).await?;
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err("the server closed the connection within its answer".into());
        }
    }
    match body.len() == length {
        true => Ok((head, body)),
        false => Err("more than the answer".into()),
    }
}

/// A chunked body, taken apart into the events that it carries.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    body: Vec<u8>,
    /// How much of the body has been handed out.
    used: usize,
}

impl Chunks {
    /// Takes the whole chunks out of `read`.
    ///
    /// # Errors
    ///
    /// Where no chunk starts.
    pub(crate) fn take(&mut self, read: &mut Vec<u8>) -> Result {
        let mut taken = 0;
        while let Some((start, end)) = chunk(&read[taken..])? {
            self.body.extend_from_slice(&read[taken + start..taken + end]);
            taken += end + 2;
        }
        read.drain(..taken);
        Ok(())
    }

    /// The next whole event.
    pub(crate) fn event(&mut self) -> Result<Option<String>> {
        let rest = &self.body[self.used..];
        let Some(length) = rest.windows(2).position(|two| two == b"\n\n") else {
            self.body.drain(..self.used);
            self.used = 0;
            return Ok(None);
        };
        let event = std::str::from_utf8(&rest[..length])?.to_owned();
        self.used += length + 2;
        Ok(Some(event))
    }

    /// Gives back the buffer.
    pub(crate) fn shrink(&mut self) {
        self.body.shrink_to_fit();
    }
}

/// Where the first chunk's bytes start and end, or `None` while it is not whole.
fn chunk(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
    let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line])?, 16)?;
    let (start, end) = (line + 2, line + 2 + size);
    match bytes.get(end..end + 2) {
        None => Ok(None),
        Some(b"\r\n") => Ok(Some((start, end))),
        Some(_) => Err("a chunk without its end".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_chunks_and_reads_end() {
        let wire = b"4\r\nid: \r\n7\r\n1\ndata:\r\n6\r\n a\n\nid\r\n";
        for cut in 0..wire.len() {
            let (mut chunks, mut events, mut read) = (Chunks::default(), Vec::new(), Vec::new());
            for part in [&wire[..cut], &wire[cut..]] {
                read.extend_from_slice(part);
                chunks.take(&mut read).unwrap();
                events.extend(std::iter::from_fn(|| chunks.event().unwrap()));
            }
            assert_eq!(events, ["id: 1\ndata: a"], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        assert!(chunk(b"x\r\n").is_err());
        assert!(chunk(b"1\r\nabc").is_err());
    }
}
