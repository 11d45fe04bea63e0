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
#[path = "nest/golden.rs"]
mod nest;
#[path = "chat/telemetry.rs"]
mod telemetry;

use std::net::SocketAddr;

use axum::{Router, routing::get};
use clap::Parser;
use narthex::{
    Flat, Gateway, JsonEnvelope, Limits, Nest, Raw, Server,
    adapters::{BareEngine, SocketIo, Sse, Ws},
    http::{HttpConfig, HttpExt, TlsConfig},
    middleware::TraceLayer,
};
use tokio::net::TcpListener;

use tracing_subscriber::EnvFilter;

use crate::{dress::Dress, flags::Flags, telemetry::Telemetry};

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
        .allow_eio3(flags.eio3)
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

fn server(flags: &Flags, telemetry: Option<&Telemetry>) -> narthex::Result<Server> {
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
        .http(http_routes(&dress, telemetry));
    if flags.trace {
        let trace = TraceLayer::new();
        server = server.observe(trace.clone()).handshake_layer(trace.clone()).message_layer(trace);
    }
    if let Some(telemetry) = telemetry {
        server = server.observe(telemetry.layer()).message_layer(telemetry.layer());
    }
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

fn http_routes(dress: &Dress, telemetry: Option<&Telemetry>) -> Router {
    let routes = Router::new().route("/healthz", get(|| async { "ok" })).merge(dress.session());
    routes.merge(telemetry.map(Telemetry::router).unwrap_or_default())
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
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| if flags.trace { "info,narthex=debug" } else { "warn" }.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let telemetry = if flags.metrics { Some(Telemetry::install()?) } else { None };
    let server = server(&flags, telemetry.as_ref())?;
    if flags.nested {
        return Ok(serve_nested(server, flags.addr).await?);
    }
    let bound = server.bind(flags.addr).await?;
    if let Some(telemetry) = &telemetry {
        telemetry.watch(bound.handle());
    }
    println!("ready {}", bound.local_addr()?);
    Ok(bound.serve_until_stopped().await?)
}
