//! Servers: gateways behind adapters, from the start to the drain.

mod bound;
mod entrance;
mod server;

pub use self::{
    bound::{BoundServer, ServerHandle},
    server::Server,
};
use crate::{adapter::Adapter, error::Result, gateway::Gateway};

/// Serves one gateway behind these adapters until Ctrl-C or SIGTERM, then drains.
///
/// # Errors
/// Those of [`Server::bind`].
pub async fn serve(
    adapters: Vec<Adapter>,
    addr: impl Into<std::net::SocketAddr>,
    gateway: Gateway,
) -> Result<()> {
    Server::new(gateway).adapters(adapters).bind(addr.into()).await?.serve_until_stopped().await
}
