//! The gateway that outside tools talk to: protocol suites and load generators.
//!
//! `/ws` and `/sse` speak the default envelope, `/nest` NestJS's, `/raw` echoes frames as they are; `/socket.io` is Socket.IO's.
//! It prints `ready <addr>`.

#[path = "lab/auth.rs"]
mod auth;
#[path = "lab/dress.rs"]
mod dress;
#[path = "lab/engine.rs"]
mod engine;
#[path = "lab/flags.rs"]
mod flags;
#[path = "lab/gateway.rs"]
mod gateway;
#[path = "lab/nest.rs"]
mod nest;

use std::net::SocketAddr;

use axum::{Router, routing::get};
use clap::Parser;
use narthex::{
    Flat, Gateway, JsonEnvelope, Limits, Nest, Raw, Server,
    adapters::{BareEngine, SocketIo, Sse, Ws},
    http::{HttpConfig, HttpExt, TlsConfig},
};
use tokio::net::TcpListener;

use crate::{dress::Dress, flags::Flags};

/// What one message may hold on `/raw`, for suites that send large ones.
const RAW_MESSAGE: usize = 16 * 1024 * 1024;

fn ws(flags: &Flags) -> narthex::Result<Ws> {
    Ok(Ws::new()
        .max_message(flags.max_message)
        .max_frame(flags.max_message)
        .ping_interval(flags.ping_interval())
        .ping_timeout(flags.ping_timeout()))
}

fn socketio(flags: &Flags) -> narthex::Result<SocketIo> {
    let door = SocketIo::new()
        .max_message(flags.max_message)
        .ping_interval(flags.ping_interval())
        .ping_timeout(flags.ping_timeout())
        .connect_timeout(flags.connect_timeout());
    Ok(door)
}

fn sse(flags: &Flags) -> narthex::Result<Sse> {
    let door = Sse::new()
        .mount("/sse", "/")
        .max_message(flags.max_message)
        .ping_interval(flags.ping_interval())
        .grace(flags.sse_grace());
    Ok(door)
}

fn server(flags: &Flags) -> narthex::Result<Server> {
    let raw = Gateway::new().namespace("/raw").on("message", gateway::raw);
    let mut limits = Limits::default()
        .outbox(flags.outbox_messages, flags.outbox_bytes)
        .overflow(flags.overflow())
        .handshake_timeout(flags.handshake_timeout())
        .drain_timeout(flags.drain())
        .rooms(flags.max_rooms);
    if let Some(clients) = flags.max_clients {
        limits = limits.clients(clients);
    }
    let mut http = HttpConfig::default().head_timeout(flags.handshake_timeout()).body_size(flags.max_message);
    if let Some(clients) = flags.max_clients_per_ip {
        http = http.connections_per_ip(clients);
    }
    let dress = Dress::new(flags)?;
    let dressed = |gateway| dress.on(gateway);
    let mut root = dress::checks(gateway::gateway());
    if flags.opens_socketio() {
        root = gateway::protocol(root);
    }
    let mut server = Server::new(dressed(root))
        .gateway(dressed(nest::gateway()))
        .gateway(dressed(nest::second_gateway()))
        .gateway(dressed(raw))
        .gateway(dressed(gateway::game()))
        .limits(limits)
        .http_config(http)
        .http(Router::new().route("/healthz", get(|| async { "ok" })).merge(dress.session()));
    if let Some(origins) = dress::origins(flags)? {
        server = server.layer(origins);
    }
    if let (Some(cert), Some(key)) = (&flags.tls_cert, &flags.tls_key) {
        server = server.tls(TlsConfig::from_pem_files(cert, key)?);
    }
    if flags.opens_ws() {
        server = server
            .adapter(ws(flags)?.mount("/ws", "/").envelope(JsonEnvelope).envelope(Flat::default()))
            .adapter(ws(flags)?.mount("/nest", "/nest").envelope(Nest))
            .adapter(
                ws(flags)?
                    .mount("/raw", "/raw")
                    .envelope(Raw::default())
                    .max_message(RAW_MESSAGE)
                    .max_frame(RAW_MESSAGE),
            );
    }
    if flags.opens_socketio() {
        let custom = gateway::protocol(Gateway::new().namespace("/custom"));
        server = server.gateway(dressed(custom)).adapter(socketio(flags)?);
    }
    if flags.opens_sse() {
        server = server.adapter(sse(flags)?);
    }
    if flags.engine_echo {
        let echo = BareEngine::new(engine::Echo)
            .max_message(flags.max_message)
            .ping_interval(flags.ping_interval())
            .ping_timeout(flags.ping_timeout());
        server = server.adapter(echo);
    }
    Ok(server)
}

/// Serves behind a route of axum's, on axum's own listener.
async fn serve_nested(server: Server, addr: SocketAddr) -> narthex::Result<()> {
    let service = server.into_service().await?;
    let app = Router::new().route("/outer", get(|| async { "outer" })).fallback_service(service.clone());
    let listener = TcpListener::bind(addr).await?;
    println!("ready {}", listener.local_addr()?);
    let (tell, told) = tokio::sync::oneshot::channel();
    let stopped = async move { drop(tell.send(service.serve_until_stopped().await)) };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    told.await.unwrap_or(Ok(()))
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let flags = Flags::parse();
    if flags.nested {
        return serve_nested(server(&flags)?, flags.addr).await;
    }
    let bound = server(&flags)?.bind(flags.addr).await?;
    println!("ready {}", bound.local_addr()?);
    bound.serve_until_stopped().await
}
