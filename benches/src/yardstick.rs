//! T, the yardstick: tokio-tungstenite as a reader of its docs would use it, with small buffers.

use std::net::SocketAddr;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{self, protocol::WebSocketConfig},
};

use crate::{Result, broadcast::Rooms};

/// tungstenite's default of 128 KiB a connection would flatter everything that is compared with it.
const BUFFER: usize = 4 * 1024;

/// Where the yardstick listens.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// Send what arrives to everybody who came by the same path, not back.
    #[arg(long)]
    broadcast: bool,
}

/// Serves until the process is ended.
pub(crate) fn serve(args: &Args) -> Result {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(accept(args))
}

async fn accept(args: &Args) -> Result {
    let listener = TcpListener::bind(args.addr).await?;
    println!("ready {}", listener.local_addr()?);
    let rooms = args.broadcast.then(Rooms::default);
    loop {
        let (stream, _) = listener.accept().await?;
        let rooms = rooms.clone();
        // The process owns these tasks: a yardstick ends by being ended, it has nothing to drain.
        tokio::spawn(async move {
            let served = match rooms {
                Some(rooms) => rooms.member(stream).await,
                None => echo(stream).await,
            };
            if let Err(error) = served {
                eprintln!("yardstick: {error}");
            }
        });
    }
}

/// What both kinds of yardstick read and write with.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER)
}

async fn echo(stream: TcpStream) -> tungstenite::Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = accept_async_with_config(stream, Some(config())).await?;
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
pub(crate) fn hung_up(error: &tungstenite::Error) -> bool {
    use tungstenite::error::{Error, ProtocolError::ResetWithoutClosingHandshake};
    matches!(error, Error::ConnectionClosed | Error::Io(_) | Error::Protocol(ResetWithoutClosingHandshake))
}
