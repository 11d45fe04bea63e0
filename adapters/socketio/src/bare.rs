//! A bare engine, without Socket.IO on top.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use engineioxide::{config::EngineIoConfig, handler::EngineIoHandler, service::EngineIoService};
use narthex_core::{CloseReason, Connect, Options, Result, Session, WebSocketAdapter};
use narthex_http::Origins;

use crate::{engine::Elsewhere, front::Front, settings::Settings};

/// A handler of engineioxide on the shared listener, for who needs Engine.IO (v4) without Socket.IO on top. It lets no
/// [`Client`](narthex_core::Client) in; the secrets, the bounds and the pings are those of [`SocketIo`](crate::SocketIo).
#[must_use = "an adapter does nothing until a server has it"]
pub struct BareEngine<H> {
    handler: Arc<H>,
    settings: Settings,
}

impl<H: EngineIoHandler> BareEngine<H> {
    /// Serves `handler` at the path `/engine.io`.
    pub fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler), settings: Settings::default().at("/engine.io") }
    }

    /// The path on the listener.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.settings = self.settings.at(path);
        self
    }

    /// Which web pages may connect. Without a call it is the rule of the server's
    /// [`OriginLayer`](narthex_http::OriginLayer), else the same origin; with one, both must let a page in.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.settings.origins = origins;
        self
    }

    /// How often a peer is pinged.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = interval;
        self
    }

    /// How long a peer may take to answer a ping.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.settings.ping_timeout = timeout;
        self
    }

    /// The largest message, in bytes, and the largest body of a POST.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = bytes;
        self
    }
}

/// The place of a [`BareEngine`] on the shared listener.
#[derive(Debug)]
pub struct BareServer(Arc<Front>);

impl<H: EngineIoHandler> WebSocketAdapter for BareEngine<H> {
    type Server = BareServer;
    type Client = Infallible;

    async fn create(&self, options: &Options) -> Result<Self::Server> {
        let settings = self.settings.clone();
        let config = EngineIoConfig::builder()
            .req_path(settings.path.clone())
            .ping_interval(settings.ping_interval)
            .ping_timeout(settings.ping_timeout)
            .max_payload(settings.max_message as u64)
            .ws_max_message_size(settings.max_message)
            .ws_max_frame_size(settings.max_message)
            .max_buffer_size(settings.buffer)
            .build();
        let handler = Arc::clone(&self.handler);
        let service = EngineIoService::with_config_inner(Elsewhere, handler, config);
        let front = Front::new(settings, options);
        front.open(Box::new(service), options).await?;
        Ok(BareServer(front))
    }

    async fn bind_client_connect(&self, server: Self::Server, connect: Connect<Infallible>) -> Result<()> {
        connect.draining().await;
        server.0.close_vacant().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: Infallible, _: Session) -> CloseReason {
        match client {}
    }
}

impl<H> fmt::Debug for BareEngine<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareEngine").field("settings", &self.settings).finish_non_exhaustive()
    }
}
