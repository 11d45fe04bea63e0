//! The smallest example, built with one door alone and asked one thing over it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    step::{announce, cargo, run, target},
};

/// Where the example listens and what it knows; see `examples/hello.rs`.
const ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
const PATH: &str = "/";
const REQUEST: &str = r#"{"event":"greet","data":"Ada","id":7}"#;
const REPLY: &str = r#"{"ack":7,"data":"hello, Ada"}"#;

/// The nonce of the RFC's example and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const START: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(10);

/// Builds `hello` with the ws door alone, starts it, checks one round trip and ends it.
///
/// # Errors
///
/// When any of this does not work.
pub(crate) fn run_alone() -> Result {
    let build = [
        ["build", "-p", "narthex-examples", "--example", "hello"].as_slice(),
        &["--no-default-features", "--features", "ws"],
    ]
    .concat();
    run("hello with ws alone", &mut cargo(&build)?)?;
    announce("hello answers over ws");
    // Otherwise somebody else's server could answer for it.
    drop(TcpListener::bind(ADDR).map_err(|error| format!("{ADDR} must be free: {error}"))?);
    let mut hello = Running(Command::new(target()?.join("debug/examples/hello")).spawn()?);
    let mut stream = hello.connect()?;
    let reply = ask(&mut stream)?;
    if reply != REPLY {
        return Err(format!("hello answered {reply} instead of {REPLY}").into());
    }
    println!("{REQUEST} -> {reply}");
    Ok(())
}

/// The started example; dropping it ends it.
struct Running(Child);

impl Running {
    /// Connects as soon as the example listens.
    fn connect(&mut self) -> Result<TcpStream> {
        let deadline = Instant::now() + START;
        loop {
            match TcpStream::connect(ADDR) {
                Ok(stream) => return Ok(stream),
                Err(error) if Instant::now() > deadline => return Err(format!("{ADDR}: {error}").into()),
                Err(_) => {}
            }
            if let Some(status) = self.0.try_wait()? {
                return Err(format!("hello ended: {status}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("could not end hello: {error}");
        }
    }
}

/// Upgrades, sends the request as one masked frame and reads one text frame.
fn ask(stream: &mut TcpStream) -> Result<String> {
    stream.set_read_timeout(Some(ANSWER))?;
    write!(
        stream,
        "GET {PATH} HTTP/1.1\r\nHost: {ADDR}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
    )?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
        return Err(format!("hello refused the upgrade:\n{head}").into());
    }
    let mask = [1, 2, 3, 4];
    let mut frame = vec![0x81, 0x80 | REQUEST.len() as u8];
    frame.extend(mask);
    frame.extend(REQUEST.bytes().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    stream.write_all(&frame)?;
    let mut start = [0; 2];
    stream.read_exact(&mut start)?;
    if start[0] != 0x81 || start[1] > 125 {
        return Err(format!("hello sent a frame that starts {start:02x?}").into());
    }
    let mut text = vec![0; usize::from(start[1])];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8(text)?)
}
