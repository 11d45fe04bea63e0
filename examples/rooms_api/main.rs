//! Rooms behind a REST API, with a socket beside it: `cargo run --example rooms_api`, then:
//!
//! ```text
//! POST   /api/v1/rooms {"roomId":"hall","creatorUsername":"ada"}
//! GET    /api/v1/rooms/hall/messages?fromIndex=1&toIndex=20
//! DELETE /api/v1/rooms/hall
//! io("http://127.0.0.1:3000").emit("participants", { roomId: "hall", username: "ada" })
//! ```
//!
//! Clients of socket.io 2 are let in too, and plain WebSockets at `/`. What happens in a room is told under the room's own name, and
//! under `participants/` and its name, to those who have joined it; with `--everybody` to whoever is connected.

mod api;
mod gateway;
mod messages;
mod participants;
mod refusal;
mod rooms;
mod store;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use narthex::Server;
use narthex::adapters::{SocketIo, Ws};
use narthex::http::HttpExt;

use crate::rooms::Rooms;
use crate::store::RedbStore;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// The file that keeps the rooms and their messages
    #[arg(long, default_value = "rooms.redb")]
    db: PathBuf,
    /// Keep them in memory only
    #[arg(long, conflicts_with = "db")]
    memory: bool,
    /// Tell everybody what happens in any room, and let everybody talk in it
    #[arg(long)]
    everybody: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "warn".into()))
        .with_writer(io::stderr)
        .init();
    let arguments = Arguments::parse();
    let store = if arguments.memory { RedbStore::in_memory()? } else { RedbStore::open(&arguments.db)? };
    let rooms = Rooms::new(store, arguments.everybody);
    let server = Server::new(gateway::gateway(rooms.clone()))
        .adapter(SocketIo::new().allow_eio3(true))
        .adapter(Ws::new())
        .http(api::router(rooms))
        .bind(arguments.addr)
        .await?;
    // Programs that start this one wait for this line.
    writeln!(io::stdout(), "ready {}", server.local_addr()?)?;
    Ok(server.serve_until_stopped().await?)
}
