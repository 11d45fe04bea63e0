//! Server-sent events down and POST up, as far as the generator needs it.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Result,
    client::Target,
    http::{self, Chunks},
};

const READ: usize = 16 * 1024;

/// One session: its stream, and a connection for what it sends.
#[derive(Debug)]
pub(crate) struct Sse {
    target: Target,
    stream: TcpStream,
    inbox: Vec<u8>,
    chunks: Chunks,
    /// The number of the last frame on the stream.
    number: u64,
    session: String,
    /// The connection that was posted on last; it is kept alive.
    post: Option<TcpStream>,
    /// Messages of the next POST, a line each.
    lines: Vec<u8>,
    queued: u64,
    /// The number of the last message that was posted.
    posted: u64,
}

impl Sse {
    /// Opens a stream and takes its session.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let mut stream = http::connect(target.addr).await?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n",
            target.path, target.addr
        );
        stream.write_all(request.as_bytes()).await?;
        let (head, inbox) = http::read_head(&mut stream).await?;
        if !head.starts_with("HTTP/1.1 200 ")
            || !head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked")
        {
            return Err(format!("no stream: {}", head.lines().next().unwrap_or_default()).into());
        }
        let mut client = Self {
            target: target.clone(),
            stream,
            inbox,
            chunks: Chunks::default(),
            number: 0,
            session: String::new(),
            post: None,
            lines: Vec::new(),
            queued: 0,
            posted: 0,
        };
        // The session may have come with the head.
        client.take(|_| Err("a message before the session".into()))?;
        while client.session.is_empty() {
            client.receive(|_| Err("a message before the session".into())).await?;
        }
        Ok(client)
    }

    /// Puts a message into the next POST.
    pub(crate) fn queue(&mut self, text: &[u8]) {
        self.lines.extend_from_slice(text);
        self.lines.push(b'\n');
        self.queued += 1;
    }

    /// Posts everything queued at once and waits until it was taken.
    pub(crate) async fn flush(&mut self) -> Result {
        if self.queued == 0 {
            return Ok(());
        }
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-ndjson\r\nX-Narthex-Session: {}\r\n\
             X-Narthex-Seq: {}\r\nContent-Length: {}\r\n\r\n",
            self.target.path,
            self.target.addr,
            self.session,
            self.posted + 1,
            self.lines.len(),
        );
        let request = [head.as_bytes(), &self.lines].concat();
        self.lines.clear();
        self.posted += std::mem::take(&mut self.queued);
        let mut post = match self.post.take() {
            Some(post) => post,
            None => http::connect(self.target.addr).await?,
        };
        post.write_all(&request).await?;
        let (head, body) = http::read_answer(&mut post).await?;
        if !head.starts_with("HTTP/1.1 200 ") || body != format!(r#"{{"seq":{}}}"#, self.posted).as_bytes() {
            return Err(format!("not taken: {head}{}", String::from_utf8_lossy(&body)).into());
        }
        self.post = Some(post);
        Ok(())
    }

    /// Reads the stream once and hands every whole message to `each`; returns how many there were.
    pub(crate) async fn receive(&mut self, each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        self.inbox.reserve(READ);
        if self.stream.read_buf(&mut self.inbox).await? == 0 {
            return Err("the server closed the stream".into());
        }
        self.take(each)
    }

    /// Goes through what was read; the frames must be numbered without a gap.
    fn take(&mut self, mut each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        let mut messages = 0;
        self.chunks.take(&mut self.inbox)?;
        while let Some(event) = self.chunks.event()? {
            match Event::read(&event)? {
                Event::Frame(number, text) if number == self.number + 1 => {
                    self.number = number;
                    each(text.as_bytes())?;
                    messages += 1;
                }
                Event::Session(token) => self.session = token,
                Event::Ping => {}
                other => return Err(format!("after frame {}: {other:?}", self.number).into()),
            }
        }
        Ok(messages)
    }

    /// Leaves, and makes sure that the stream had nothing more to say but that it closes.
    pub(crate) async fn close(mut self) -> Result {
        // The other connection may have been closed by the server for being silent.
        let mut delete = http::connect(self.target.addr).await?;
        let request = format!(
            "DELETE {} HTTP/1.1\r\nHost: {}\r\nX-Narthex-Session: {}\r\nConnection: close\r\n\r\n",
            self.target.path, self.target.addr, self.session
        );
        delete.write_all(request.as_bytes()).await?;
        let (head, _) = http::read_answer(&mut delete).await?;
        if !head.starts_with("HTTP/1.1 204 ") {
            return Err(format!("cannot leave: {head}").into());
        }
        loop {
            self.chunks.take(&mut self.inbox)?;
            while let Some(event) = self.chunks.event()? {
                match Event::read(&event)? {
                    Event::Close => return Ok(()),
                    Event::Frame(..) => return Err("a reply too many".into()),
                    Event::Session(_) | Event::Ping => {}
                }
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err("the stream ended without a close".into());
            }
        }
    }

    /// Gives back the buffers, and the connection that a client closes who has nothing to send.
    pub(crate) fn shrink(&mut self) {
        self.post = None;
        self.inbox.shrink_to_fit();
        self.lines.shrink_to_fit();
        self.chunks.shrink();
    }
}

/// What a stream says.
#[derive(Debug, PartialEq, Eq)]
enum Event<'a> {
    /// A message and its number.
    Frame(u64, &'a str),
    /// The token of the session.
    Session(String),
    Ping,
    Close,
}

impl<'a> Event<'a> {
    fn read(text: &'a str) -> Result<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let data = field("data").unwrap_or_default();
        match field("event") {
            None => Ok(Self::Frame(field("id").ok_or("a frame without a number")?.parse()?, data)),
            Some("session") => {
                let opening: Value = serde_json::from_str(data)?;
                let token = opening["session"].as_str().ok_or("a session without a token")?;
                Ok(Self::Session(token.to_owned()))
            }
            Some("ping") => Ok(Self::Ping),
            Some("close") => Ok(Self::Close),
            Some(other) => Err(format!("the event {other}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_a_number_and_one_line_of_data() {
        let frame = Event::read("id: 7\ndata: {\"ack\":1}").unwrap();
        assert_eq!(frame, Event::Frame(7, r#"{"ack":1}"#));
        assert!(Event::read("data: {}").is_err());
    }

    #[test]
    fn the_session_is_found_behind_the_time_to_retry() {
        let session = Event::read("retry: 1000\nevent: session\ndata: {\"session\":\"a.b\"}").unwrap();
        assert_eq!(session, Event::Session("a.b".to_owned()));
    }
}
