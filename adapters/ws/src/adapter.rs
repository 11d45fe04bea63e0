//! The adapter and its builder.

use std::{future::poll_fn, sync::Arc, time::Duration};

use narthex_core::{
    Capability, CloseReason, Connect, Envelope, JsonEnvelope, Options, Result, Session, WebSocketAdapter,
};
use narthex_http::{Claim, Http, Mount, Origins, Route};
use tokio::sync::SetOnce;

use crate::{
    client::WsClient,
    connection::{Connection, farewell},
    door::Door,
    handshake::Protocols,
    settings::Settings,
};

/// The raw WebSocket door (RFC 6455): one message is one text or binary frame in an [`Envelope`].
///
/// It opens on the shared HTTP listener, at the path of each namespace.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | [`max_message`](Self::max_message), [`max_frame`](Self::max_frame) | 64 KiB | close code 1009 |
/// | [`max_fragments`](Self::max_fragments) | 1,024 a message | close code 1008 |
/// | [`unfinished_timeout`](Self::unfinished_timeout) | 20 s | close code 1008 |
/// | [`ping_interval`](Self::ping_interval), [`ping_timeout`](Self::ping_timeout) | 25 s, 10 s | the connection is cut |
/// | [`write_deadline`](Self::write_deadline) | 5 s | the connection is cut |
/// | [`close_timeout`](Self::close_timeout) | 1 s | the connection is cut, after the close code was sent |
///
/// Compression (RFC 7692) and other extensions are not spoken; offers of them are ignored.
///
/// ```
/// use narthex_ws::Ws;
/// use std::time::Duration;
///
/// let door = Ws::new().mount("/ws", "/").ping_interval(Duration::from_secs(50)).max_message(1024 * 1024);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an adapter does nothing until a server has it"]
pub struct Ws {
    envelopes: Vec<Arc<dyn Envelope>>,
    mounts: Vec<(String, String)>,
    origins: Origins,
    settings: Settings,
}

impl Ws {
    /// The door with its defaults: the JSON envelope, every namespace at its own path, pages of the same origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows an envelope. Called more than once, a client chooses by name in `Sec-WebSocket-Protocol`; one that
    /// names none of them gets the first. Without a call it is [`JsonEnvelope`].
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.envelopes.push(Arc::new(envelope));
        self
    }

    /// Opens a namespace at a path of the listener. Without a call every namespace is open at its own path.
    ///
    /// Both may be patterns; a parameter of the namespace stands as a whole segment in the path:
    /// `mount("/ws/game/{id}", "/game/{id}")`.
    pub fn mount(mut self, path: impl Into<String>, namespace: impl Into<String>) -> Self {
        self.mounts.push((path.into(), namespace.into()));
        self
    }

    /// Which web pages may connect. Others are refused with 403 (RFC 6455 section 10.2). Without a call it is the rule of the server's
    /// [`OriginLayer`](narthex_http::OriginLayer), else the same origin; with one, both must let a page in.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// How long a client may be silent before it is pinged. Anything that it sends counts, and it is well below
    /// the 60 s after which proxies cut idle connections. [`Duration::MAX`] never pings.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = interval;
        self
    }

    /// How long a pinged client may stay silent before its connection is cut.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.settings.ping_timeout = timeout;
        self
    }

    /// The largest message, in bytes, over all its fragments.
    ///
    /// The bound of a frame is raised with it where it would be smaller.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.bounds.message = bytes;
        self.settings.bounds.frame = self.settings.bounds.frame.max(bytes);
        self
    }

    /// The largest frame, in bytes.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.settings.bounds.frame = bytes;
        self
    }

    /// The most fragments of one message.
    pub fn max_fragments(mut self, fragments: u32) -> Self {
        self.settings.bounds.fragments = fragments;
        self
    }

    /// How long a socket may take no byte although there is something to write.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.settings.write_deadline = deadline;
        self
    }

    /// How long a message may take from its first byte to its last.
    pub fn unfinished_timeout(mut self, timeout: Duration) -> Self {
        self.settings.unfinished_timeout = timeout;
        self
    }

    /// How long a client may take to end its connection once it has been sent a close frame.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    fn door(&self) -> Result<Door> {
        let default: [Arc<dyn Envelope>; 1] = [Arc::new(JsonEnvelope)];
        let envelopes = if self.envelopes.is_empty() { &default[..] } else { &self.envelopes[..] };
        Ok(Door {
            protocols: Protocols::new(envelopes)?,
            origins: self.origins.clone(),
            settings: Arc::new(self.settings.clone()),
            connect: SetOnce::new(),
        })
    }
}

/// The paths of a [`Ws`] on the shared listener.
#[derive(Debug)]
pub struct WsServer {
    door: Arc<Door>,
}

impl WebSocketAdapter for Ws {
    type Server = WsServer;
    type Client = WsClient;

    fn capability(&self) -> Capability {
        Capability::default()
            .with_name("ws")
            .with_binary(true)
            .with_refuses_over_http(true)
            .with_close_codes(true)
            .with_framing(true)
    }

    async fn create(&self, options: &Options) -> Result<WsServer> {
        let door = Arc::new(self.door()?);
        let http = options.resource_or_insert_with(Http::new);
        for route in Route::all(&self.mounts, options)? {
            let (door, path) = (Arc::clone(&door), route.path().to_owned());
            let route = Arc::new(route);
            let mount = Mount::new(Claim::Upgrade, move |request| {
                let (door, route) = (Arc::clone(&door), Arc::clone(&route));
                async move { door.enter(&route, request).await }
            });
            http.mount(&path, mount)?;
        }
        http.open(options).await?;
        Ok(WsServer { door })
    }

    async fn bind_client_connect(&self, server: WsServer, connect: Connect<WsClient>) -> Result<()> {
        let announced = server.door.connect.set(connect.clone());
        debug_assert!(announced.is_ok(), "a server is bound once");
        connect.draining().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: WsClient, session: Session) -> CloseReason {
        let mut connection = Connection::new(client, session);
        let end = poll_fn(|cx| connection.poll(cx)).await;
        // The session is over; the last words are the carrier's own business. Boxed, since few clients are at
        // their end at any time.
        let (socket, carrier) = connection.into_parts();
        Box::pin(farewell(socket, carrier, end)).await
    }
}
