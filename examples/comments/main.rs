//! Comments on entries: a REST API and sockets on one port, with one token, and the same gateway behind an adapter of one's own.
//!
//! `cargo run --example comments`, then:
//!
//! ```text
//! POST /token {"name":"ada"}                     → {"token":…}
//! GET  /entries/2/comments                       with `Authorization: Bearer <token>`
//! ws://127.0.0.1:3000/?token=<token>             {"type":"showComment","entryId":2,"commentId":1}
//! io("http://127.0.0.1:3000", { query: { auth_token } })
//! ```

mod api;
mod door;
mod events;
mod store;
mod tokens;

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Parser;
use narthex::adapters::{SocketIo, Ws};
use narthex::http::HttpExt;
use narthex::{Flat, Server};

use crate::door::PlainWs;
use crate::store::Comments;
use crate::tokens::Tokens;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where REST, WebSocket and Socket.IO listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Where the adapter of our own listens
    #[arg(long, default_value = "127.0.0.1:0")]
    own_addr: SocketAddr,
    /// What tokens are signed with
    #[arg(
        long,
        env = "COMMENTS_SECRET",
        hide_env_values = true,
        default_value = "not a secret: for trying out only"
    )]
    secret: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let (tokens, comments) = (Tokens::new(&arguments.secret)?, Comments::with_some());
    let own = PlainWs::new(arguments.own_addr);
    let own_addr = own.local_addr();
    let server = Server::new(events::gateway(&tokens, comments.clone()))
        .adapter(Ws::new().envelope(Flat::default()))
        .adapter(SocketIo::new())
        .adapter(own)
        .http(api::router(&tokens, comments))
        .bind(arguments.addr)
        .await?;
    if let Some(addr) = own_addr.get() {
        writeln!(io::stdout(), "own {addr}")?;
    }
    // Programs that start this one wait for this line.
    writeln!(io::stdout(), "ready {}", server.local_addr()?)?;
    Ok(server.serve_until_stopped().await?)
}
