//! Tokens: `JWT_SECRET=… cargo run --example jwt`, then connect with `Authorization: Bearer <token>`, with the sub-protocols
//! `bearer` and the token (a browser's WebSocket), or with `auth: { token }` (Socket.IO). A page that can send nothing but
//! a URL asks `POST /auth/ticket` for a ticket first, and connects with `?auth_ticket=<ticket>`.
use std::time::{Duration, SystemTime};

use axum::{Router, extract::Request, http::StatusCode, routing::post};
use narthex::http::HttpExt;
use narthex::middleware::auth::{Claims, Credentials, JwtKey, JwtLayer, Tickets};
use narthex::{Client, Gateway, Result, Server, adapters};

/// What a token says beside who it is for (`sub`) and when it ends (`exp`).
#[derive(serde::Deserialize)]
struct Member {
    name: Option<String>,
}

/// Tells a client how long it may stay. It sends `auth.refresh` with a newer token before, or is closed with 4401.
async fn welcome(client: Client, member: Claims<Member>) -> Result<()> {
    let left = member.expires_at().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
    client.emit("auth.seconds", &left.as_secs())
}

async fn whoami(member: Claims<Member>) -> String {
    format!("{} is {}", member.subject(), member.name.as_deref().unwrap_or("somebody"))
}

/// Exchanges the token in the header for a ticket, which is good once and for 30 seconds.
async fn ticket(tickets: Tickets, request: Request) -> Result<String, StatusCode> {
    match Credentials::bearer().find(&request) {
        Ok(Some(token)) => tickets.issue(token.as_str()).map_err(|_| StatusCode::SERVICE_UNAVAILABLE),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let key = JwtKey::hs256(std::env::var("JWT_SECRET").unwrap_or_default())?;
    let tickets = Tickets::new();
    let credentials = Credentials::default().ticket("auth_ticket", &tickets);
    let jwt = JwtLayer::<Member>::new(key).credentials(credentials);
    let gateway = Gateway::new()
        .handshake_layer(jwt.clone())
        .on_connect(welcome)
        .on("whoami", whoami)
        .on("auth.refresh", jwt.refresh());
    // The same layer guards a route of one's own.
    let ask = post(move |request: Request| ticket(tickets.clone(), request)).layer(jwt);
    let server =
        Server::new(gateway).adapters(adapters::enabled()?).http(Router::new().route("/auth/ticket", ask));
    server.bind(([127, 0, 0, 1], 3000).into()).await?.serve_until_stopped().await
}
