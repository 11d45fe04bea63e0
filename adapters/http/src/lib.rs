//! The one HTTP listener of Narthex's HTTP-born adapters. It is not a transport: adapters mount paths on it.
//!
//! * [`Http`] is the listener, a resource of the server's [`Options`](narthex_core::Options). The first adapter
//!   that opens it binds the port; the others share it.
//! * [`Mount`] and [`Claim`] say which requests of a path an adapter answers, [`upgrade`] takes the connection over.
//! * [`HttpExt`] puts a user's own service (an axum `Router`, say) and tower layers beside the adapters.
//! * [`HttpExt::into_service`] makes the server a tower service for a user's own HTTP server.
//! * [`Route`] leads from a path of the listener to a namespace.
//! * [`HttpConfig`] has the bounds, [`Origins`] decides which web pages may come in, [`OriginLayer`] for all of the server.
//!
//! HTTP/1.1 is spoken (RFC 9112), over TLS with the feature `tls` and `TlsConfig`. Every connection is counted, has a
//! deadline for its head, its body, its idle time and for a write that does not move, and is a task that the drain
//! waits for.

mod accept;
mod body;
mod bounded;
mod config;
mod connection;
mod cors;
mod deadline;
mod dispatch;
mod ext;
mod foreign;
mod gateway_service;
mod guarded;
mod listener;
mod mount;
mod origin;
mod origin_layer;
mod origins;
mod permits;
mod phase;
mod route;
mod security;
mod service;
mod setup;
mod stream;
mod table;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;

#[cfg(feature = "tls")]
pub use self::tls::TlsConfig;
pub use self::{
    body::{HttpBody, boxed, empty, full, text},
    bounded::{BodyError, collect},
    config::HttpConfig,
    cors::{Cors, Sharing},
    ext::{HttpDoor, HttpExt},
    gateway_service::GatewayService,
    listener::Http,
    mount::{Claim, Mount},
    origin_layer::{OriginFuture, OriginLayer, OriginService},
    origins::{OriginRefused, Origins},
    permits::{ConnectionPermit, HttpStats},
    route::Route,
    service::HttpService,
    stream::HttpStream,
    table::is_websocket_upgrade,
    upgrade::{UpgradedIo, Upgrading, upgrade},
};
