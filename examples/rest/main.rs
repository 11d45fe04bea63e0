//! One axum router over HTTP and over sockets: `cargo run --example rest`, then `curl 127.0.0.1:3000/example?id=1`, or with socket.io-client,
//! sails.io.js or a WebSocket `{"event":"get","data":{"method":"get","url":"/example?id=1"},"id":1}`.

mod rooms;
mod routes;
mod session;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use narthex::adapters::{SocketIo, Sse, Ws};
use narthex::http::HttpExt;
use narthex::rest::Rest;
use narthex::{Emit, Gateway, Server};

use crate::session::Sessions;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// What session cookies are signed with; a new one at each start where none is given
    #[arg(long, env = "REST_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// How long one request may take, in milliseconds
    #[arg(long, default_value_t = 10_000)]
    timeout_ms: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let sessions = Sessions::new(arguments.secret.as_deref())?;
    let router = routes::router().merge(rooms::router());
    let rest = Rest::new(router.clone())
        .timeout(Duration::from_millis(arguments.timeout_ms))
        .strip_prefix("/api")
        .trim_slashes()
        .inherit_query();
    let gateway = Gateway::new()
        .handshake_layer(sessions.clone().layer())
        .on_connect(session::welcome)
        .on("healthcheck", async || Emit::new("event", "OK"));
    let server = Server::new(rest.on(gateway))
        .adapter(Ws::new().mount("/ws", "/"))
        .adapter(SocketIo::new().allow_eio3(true))
        .adapter(Sse::new().mount("/sse", "/"))
        .http(sessions.over_http(router))
        .bind(arguments.addr)
        .await?;
    // Programs that start this one wait for this line.
    writeln!(io::stdout(), "ready {}", server.local_addr()?)?;
    Ok(server.serve_until_stopped().await?)
}
