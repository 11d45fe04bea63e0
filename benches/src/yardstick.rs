//! T, the yardstick: tokio-tungstenite as a reader of its docs would use it, with small buffers.

use std::net::SocketAddr;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{self, protocol::WebSocketConfig},
};

use crate::Result;

/// tungstenite's default of 128 KiB a connection would flatter everything that is compared with it.
const BUFFER: usize = 4 * 1024;

/// Where the yardstick listens.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
}

/// Serves until the process is ended.
pub(crate) fn serve(args: &Args) -> Result {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(accept(args.addr))
}

async fn accept(addr: SocketAddr) -> Result {
    let listener = TcpListener::bind(addr).await?;
    println!("ready {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        // The process owns these tasks: a yardstick ends by being ended, it has nothing to drain.
        tokio::spawn(async move {
            if let Err(error) = echo(stream).await {
                eprintln!("yardstick: {error}");
            }
        });
    }
}

async fn echo(stream: TcpStream) -> tungstenite::Result<()> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    while let Some(message) = socket.next().await {
        match message {
            Ok(message) if message.is_text() => socket.send(message).await?,
            Ok(_) => {}
            Err(error) if hung_up(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The generator drops its sockets without a close handshake.
fn hung_up(error: &tungstenite::Error) -> bool {
    use tungstenite::error::{Error, ProtocolError::ResetWithoutClosingHandshake};
    matches!(error, Error::ConnectionClosed | Error::Io(_) | Error::Protocol(ResetWithoutClosingHandshake))
}
