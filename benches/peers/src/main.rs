//! What Narthex is measured against, one subcommand each, written as the docs of each crate say.
//!
//! Each echoes and has rooms, as the load generator asks for; it prints `ready <addr>`.

mod axum_ws;
mod fast;
mod rooms;
mod socketio;

use std::{error::Error, net::SocketAddr, process::ExitCode};

use axum::{Router, serve::ListenerExt};
use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

/// What a peer gives: it serves until it is ended, or says why it cannot.
type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(name = "narthex-bench-peers", about = "What Narthex is measured against", version)]
struct Cli {
    /// The peer.
    #[arg(value_enum)]
    peer: Peer,
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Peer {
    /// axum's WebSocket with buffers of 4 KiB.
    Axum,
    /// axum's WebSocket as it is.
    AxumDefault,
    /// fastwebsockets on hyper.
    Fastwebsockets,
    /// socketioxide with typed handlers.
    Socketioxide,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let served = match cli.peer {
        Peer::Axum => serve(axum_ws::app(Some(4 * 1024)), cli.addr).await,
        Peer::AxumDefault => serve(axum_ws::app(None), cli.addr).await,
        Peer::Fastwebsockets => fast::serve(cli.addr).await,
        Peer::Socketioxide => serve(socketio::app(), cli.addr).await,
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves an application of axum's without Nagle's delay, which nobody here has.
async fn serve(app: Router, addr: SocketAddr) -> Result {
    let listener = TcpListener::bind(addr).await?;
    println!("ready {}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("nodelay: {error}");
        }
    });
    Ok(axum::serve(listener, app).await?)
}
