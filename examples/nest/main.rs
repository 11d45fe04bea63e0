//! NestJS's gateways as they are written here, one file a topic: `cargo run --example nest`. docs/from-nestjs.md goes with it.
//!
//! Every gateway is open on Socket.IO, by its namespace, and on raw WebSocket in the envelope of NestJS's `WsAdapter`, by its path. It prints
//! the address of the gateway with a port of its own (`own <addr>`), then `ready <addr>`.

mod basics;
mod chat;
mod errors;
mod global;
mod golden;
mod hooks;
mod pairs;
mod params;
mod scope;

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::{Router, routing::get};
use clap::Parser;
use futures_util::stream;
use narthex::adapters::{SocketIo, Ws};
use narthex::http::HttpExt;
use narthex::{Gateway, Limits, Nest, Server};
use tracing_subscriber::EnvFilter;

use crate::pairs::Pairs;

/// NestJS's gateways, and a chat made of them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Where the gateway with an address of its own listens
    #[arg(long, default_value = "127.0.0.1:8080")]
    own: SocketAddr,
    /// What the chat's tokens are signed with (HS256)
    #[arg(long, env = "CHAT_SECRET", hide_env_values = true)]
    secret: String,
    /// Says "Internal server error" for messages that do not fit, as NestJS does
    #[arg(long)]
    hide_faults: bool,
    /// Refuses every message
    #[arg(long)]
    closed: bool,
    /// How long a shutdown waits for what still runs, in milliseconds
    #[arg(long, default_value_t = 10_000)]
    drain_ms: u64,
}

fn server(arguments: &Arguments) -> Result<Server, Box<dyn std::error::Error>> {
    let own = Gateway::new().namespace("/own").listen(arguments.own);
    let server = Server::new(basics::shared())
        .gateway(basics::pop(own))
        .gateway(basics::pop(Gateway::new().namespace("/ws-path")))
        .gateway(basics::pop(Gateway::new().namespace("/example")))
        .gateway(basics::acks())
        .gateway(errors::error())
        .gateway(errors::validation())
        .gateway(errors::no_validation())
        .gateway(hooks::throws())
        .gateway(hooks::rejects())
        .gateway(scope::singleton())
        .gateway(scope::slow_to_leave())
        .gateway(params::rooms())
        .gateway(params::games())
        .gateway(golden::gateway())
        .gateway(golden::second_gateway())
        .gateway(chat::gateway(&arguments.secret, arguments.hide_faults)?)
        .guard(global::not_denied)
        .limits(Limits::default().drain_timeout(Duration::from_millis(arguments.drain_ms)))
        .http(pages())
        .adapter(SocketIo::new())
        .adapter(Ws::new().envelope(Nest))
        .adapter(Ws::new().mount("/pairs", "/").envelope(Pairs));
    Ok(if arguments.closed { server.guard(global::nobody) } else { server })
}

/// A page of one's own that ends when its reader leaves, and no sooner.
fn pages() -> Router {
    let endless = || async { Sse::new(stream::pending::<Result<Event, Infallible>>()) };
    Router::new().route("/sse", get(endless))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let arguments = Arguments::parse();
    let server = server(&arguments)?.bind(arguments.addr).await?;
    let mut out = io::stdout();
    if let Some(own) = server.local_addr_of("/own") {
        writeln!(out, "own {own}")?;
    }
    // Programs that start this one wait for this line.
    writeln!(out, "ready {}", server.local_addr()?)?;
    Ok(server.serve_until_stopped().await?)
}
