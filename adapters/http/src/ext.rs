//! A user's own HTTP beside the adapters.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use narthex_core::{BoxError, CloseReason, Connect, Options, Result, Server, Session, WebSocketAdapter};
use tower::{Layer, Service};

#[cfg(feature = "tls")]
use crate::tls::TlsConfig;
use crate::{
    body::HttpBody,
    config::HttpConfig,
    gateway_service::GatewayService,
    listener::Http,
    service::{HttpService, erase},
};

/// HTTP on a [`Server`].
pub trait HttpExt: Sized {
    /// Serves every request that no adapter claims with a tower service, an axum `Router` for example. Called again,
    /// the later service replaces the earlier.
    ///
    /// Its errors and panics are logged and answered 500. Request bodies have a deadline and no bound on their size.
    #[must_use]
    fn http<S, B>(self, service: S) -> Self
    where
        S: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>;

    /// Wraps all of the server's HTTP, adapters included, with a tower layer. Layers run in the order in which they are added.
    #[must_use]
    fn layer<L, B>(self, layer: L) -> Self
    where
        L: Layer<HttpService> + Send + 'static,
        L::Service: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + 'static,
        <L::Service as Service<Request<HttpBody>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<HttpBody>>>::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>;

    /// Sets the listener's bounds.
    #[must_use]
    fn http_config(self, config: HttpConfig) -> Self;

    /// Speaks TLS at every address of the server, with all doors. Plain HTTP is not spoken then; a peer that tries is closed.
    ///
    /// The handshake has to end within [`HttpConfig::head_timeout`].
    #[cfg(feature = "tls")]
    #[must_use]
    fn tls(self, config: TlsConfig) -> Self;

    /// Makes the server a tower service for an HTTP server of the user's own, instead of binding an address: see
    /// [`GatewayService`].
    ///
    /// # Errors
    ///
    /// Those of [`Server::open`]; kind `Config` where no adapter of the server speaks HTTP.
    fn into_service(self) -> impl Future<Output = Result<GatewayService>> + Send;
}

impl HttpExt for Server {
    fn http<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let first = self.resource_or_insert_with(Http::new).setup().set_user(erase(service));
        // The door makes the server listen where no adapter does.
        if first { self.adapter(HttpDoor::new()) } else { self }
    }

    fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService> + Send + 'static,
        L::Service: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + 'static,
        <L::Service as Service<Request<HttpBody>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<HttpBody>>>::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let wrap = Box::new(move |service: HttpService| erase(layer.layer(service)));
        self.resource_or_insert_with(Http::new).setup().push_layer(wrap);
        self
    }

    fn http_config(mut self, config: HttpConfig) -> Self {
        self.resource_or_insert_with(Http::new).setup().set_config(config);
        self
    }

    #[cfg(feature = "tls")]
    fn tls(mut self, config: TlsConfig) -> Self {
        self.resource_or_insert_with(Http::new).setup().set_tls(config);
        self
    }

    async fn into_service(mut self) -> Result<GatewayService> {
        let http = self.resource_or_insert_with(Http::new);
        http.setup().detach();
        GatewayService::new(self.open().await?, &http)
    }
}

/// An adapter that opens the listener and lets no client in: it serves what [`HttpExt::http`] was given.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpDoor;

impl HttpDoor {
    /// The door.
    pub fn new() -> Self {
        Self
    }
}

impl WebSocketAdapter for HttpDoor {
    type Server = ();
    type Client = Infallible;

    async fn create(&self, options: &Options) -> Result<()> {
        options.resource_or_insert_with(Http::new).open(options).await.map(drop)
    }

    async fn bind_client_connect(&self, (): (), connect: Connect<Infallible>) -> Result<()> {
        connect.draining().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: Infallible, _: Session) -> CloseReason {
        match client {}
    }
}
