//! A chat over whatever doors are compiled in, with a page: `cargo run --release --example chat`, then open <http://127.0.0.1:3000> in two
//! windows. `RUST_LOG=info,narthex=debug` shows who comes and what they do, `/metrics` how much of it there is.

mod gateway;
mod history;
mod login;
mod messages;
mod page;
mod private;
mod rooms;
mod store;
mod telemetry;
mod text;
mod visitor;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use narthex::http::HttpExt;
use narthex::middleware::rate_limit::{Rate, RateLimitLayer};
use narthex::middleware::{TimeoutLayer, TraceLayer};
use narthex::{Server, adapters};
use tracing_subscriber::EnvFilter;

use crate::history::{History, Keeper};
use crate::login::Login;
use crate::store::{FileStore, MemoryStore};
use crate::telemetry::Telemetry;

/// How long one message may take.
const SLOW: Duration = Duration::from_secs(10);

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
    /// What tokens are signed with; a new one at each start where none is given
    #[arg(long, env = "CHAT_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The password for rooms that are named `staff:…`
    #[arg(long, env = "CHAT_STAFF_PASSWORD", hide_env_values = true)]
    staff_password: Option<String>,
    /// For how many seconds a token is good; pages renew theirs
    #[arg(long, default_value_t = 15 * 60)]
    token_seconds: u64,
    /// Messages a second of one client, and of one address; twice as many at once
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let arguments = Arguments::parse();
    let (keeper, history) = open(&arguments)?;
    let login = login(&arguments)?;
    let chat = gateway::chat(history, &login, &rate(&arguments));
    let (telemetry, trace) = (Telemetry::install()?, TraceLayer::new());
    let http = page::router().merge(login.router()).merge(telemetry.router());
    let server = Server::new(chat)
        .observe(trace.clone())
        .observe(telemetry.layer())
        .handshake_layer(trace.clone())
        .message_layer(trace)
        .message_layer(telemetry.layer())
        .message_layer(TimeoutLayer::new(SLOW))
        .adapters(adapters::enabled()?)
        .http(http);
    let server = server.bind(arguments.addr).await?;
    telemetry.watch(server.handle());
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

fn login(arguments: &Arguments) -> Result<Login, Box<dyn std::error::Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let secret = arguments.secret.as_ref().map_or(&secret[..], |secret| secret.as_bytes());
    let lifetime = Duration::from_secs(arguments.token_seconds);
    Ok(Login::new(secret, lifetime, arguments.staff_password.clone())?)
}

fn rate(arguments: &Arguments) -> RateLimitLayer {
    let rate = Rate::per_second(arguments.rate).burst(arguments.rate.saturating_mul(2));
    RateLimitLayer::new().connection(rate).principal(rate).address(rate)
}
