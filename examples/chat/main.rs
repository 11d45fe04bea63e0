//! A complete chat: rooms with a history, private messages, a page.
//!
//! `cargo run --release --example chat`, then open <http://127.0.0.1:3000> in two windows.

mod gateway;
mod history;
mod messages;
mod page;
mod private;
mod rooms;
mod store;
mod text;
mod visitor;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use narthex::http::HttpExt;
use narthex::{Server, adapters};

use crate::history::{History, Keeper};
use crate::store::{FileStore, MemoryStore};

/// A chat with rooms and private messages.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// The file that keeps the rooms' messages
    #[arg(long, default_value = "chat.redb")]
    db: PathBuf,
    /// Keep messages in memory only
    #[arg(long, conflicts_with = "db")]
    memory: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let (keeper, history) = open(&arguments)?;
    let server = Server::new(gateway::chat(history)).adapters(adapters::enabled()?).http(page::router());
    let server = server.bind(arguments.addr).await?;
    // Programs that start this one wait for this line.
    writeln!(io::stdout(), "ready {}", server.local_addr()?)?;
    server.serve_until_stopped().await?;
    keeper.close().await?;
    Ok(())
}

fn open(arguments: &Arguments) -> Result<(Keeper, History), Box<dyn std::error::Error>> {
    Ok(if arguments.memory {
        Keeper::start(MemoryStore::default())?
    } else {
        Keeper::start(FileStore::open(&arguments.db)?)?
    })
}
