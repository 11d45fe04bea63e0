//! Controllers over whatever doors are compiled in: requests with headers, query, params and body, access checks for each message,
//! models, channels, and messages that expect answers. `cargo run --example controllers -- --admin-password …`; `POST /login` gives
//! tokens.

mod access;
mod channels;
mod controller;
mod controllers;
mod gateway;
mod model;
mod service;
#[cfg(test)]
mod tests;
mod user;
mod versions;
mod wire;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use narthex::http::HttpExt;
use narthex::{Server, adapters};
use tracing_subscriber::EnvFilter;

use crate::service::{Options, Websocket};
use crate::user::Users;
use crate::versions::Versions;

/// Controllers and channels over WebSockets.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// What tokens are signed with; a new one at each start where none is given
    #[arg(long, env = "CONTROLLERS_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The password of admins
    #[arg(long, env = "CONTROLLERS_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: Option<String>,
    /// For how many milliseconds a client may take to answer
    #[arg(long, default_value_t = 5000)]
    timeout_ms: u64,
    /// A user who may not connect; may be said again
    #[arg(long)]
    ban: Vec<String>,
    /// Leave out the controller that only shows what there is
    #[arg(long)]
    no_demo: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let arguments = Arguments::parse();
    let users = users(&arguments)?;
    let versions =
        Versions::new(&[("1.0.0", "2025-01-15"), ("2.0.0", "2025-09-01"), ("2.1.0", "2026-03-01")])?;
    let timeout = Duration::from_millis(arguments.timeout_ms);
    let options = Options { timeout, banned: arguments.ban.iter().cloned().collect() };
    let websocket = Websocket::new(options, users.clone(), versions);

    let served = controllers::served(!arguments.no_demo);
    controller::check_orphans(&controllers::declared(), &served)?;
    let server = Server::new(gateway::gateway(&websocket, served)?)
        .adapters(adapters::enabled()?)
        .http(users.router())
        .bind(arguments.addr)
        .await?;
    // Programs that start this one wait for this line.
    writeln!(io::stdout(), "ready {}", server.local_addr()?)?;
    server.serve_until_stopped().await?;
    Ok(())
}

fn users(arguments: &Arguments) -> Result<Users, Box<dyn std::error::Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let secret = arguments.secret.as_ref().map_or(&secret[..], |secret| secret.as_bytes());
    Ok(Users::new(secret, arguments.admin_password.clone())?)
}
