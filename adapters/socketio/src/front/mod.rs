//! The HTTP in front of the engine. The engine's session ids are public in its protocol and open its sessions; here the peer
//! gets a secret instead, which the engine never sees, and the ids of its clients, which open nothing.

mod compact;
mod names;
mod payload;
mod polling;
mod refusal;
mod upgrade;
mod vacancy;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use narthex_core::{CloseReason, Options, Result};
use narthex_http::{Claim, Cors, Http, HttpBody, Mount, full, is_websocket_upgrade};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::names::rename;
use self::refusal::{bad_request, going_away, unknown_session, unknown_transport, unsupported_version};
use crate::{
    connection::Connection,
    engine::{Engine, failed},
    io::Announce,
    protocol::Protocol,
    registry::Registry,
    settings::Settings,
};

/// What pages of the allowed origins may do.
static CORS: Cors = Cors {
    methods: HeaderValue::from_static("GET, POST"),
    headers: HeaderValue::from_static("authorization, content-type"),
    exposed: None,
};

/// What a request may name as its transport.
const TRANSPORTS: [&str; 2] = ["polling", "websocket"];

/// What a request asks of the engine.
struct Asked<'a> {
    transport: Option<&'a str>,
    version: Option<&'a str>,
    sid: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(uri: &'a Uri) -> Self {
        let find = |name: &str| {
            let pairs = uri.query().unwrap_or_default().split('&');
            pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).next()
        };
        Self { transport: find("transport"), version: find("EIO"), sid: find("sid") }
    }

    fn is_websocket(&self) -> bool {
        self.transport == Some("websocket")
    }
}

/// The HTTP in front of one engine.
pub(crate) struct Front {
    pub(crate) settings: Settings,
    registry: Arc<Registry>,
    draining: CancellationToken,
    tracker: TaskTracker,
    engine: OnceLock<Box<dyn Engine>>,
    /// Told of each CONNECT packet before the engine sees it, where namespaces are made on demand.
    pub(crate) announce: OnceLock<Announce>,
}

impl Front {
    pub(crate) fn new(settings: Settings, options: &Options) -> Arc<Self> {
        Arc::new(Self {
            settings,
            registry: Arc::default(),
            draining: options.draining(),
            tracker: options.tracker(),
            engine: OnceLock::new(),
            announce: OnceLock::new(),
        })
    }

    /// Puts the front before an engine, and on the listener.
    ///
    /// # Errors
    /// Those of the listener.
    pub(crate) async fn open(self: &Arc<Self>, engine: Box<dyn Engine>, options: &Options) -> Result<()> {
        let started = self.engine.set(engine);
        debug_assert!(started.is_ok(), "a front is opened once");
        let http = options.resource_or_insert_with(Http::new);
        for path in [self.settings.path.clone(), format!("{}/", self.settings.path)] {
            let front = Arc::clone(self);
            let mount = Mount::new(Claim::All, move |request| {
                let front = Arc::clone(&front);
                async move { front.enter(request).await }
            });
            http.mount(&path, mount)?;
        }
        http.open(options).await.map(drop)
    }

    /// Has the engine answer a request.
    async fn ask(&self, request: Request<HttpBody>) -> Response<Bytes> {
        match self.engine.get() {
            Some(engine) => engine.ask(request).await,
            None => failed(),
        }
    }

    /// Asks the engine in the name of a session's peer.
    async fn ask_as(&self, connection: &Connection, method: Method, body: &'static str) -> Option<Bytes> {
        let sid = connection.sid()?;
        let path = &self.settings.path;
        let version = connection.protocol().version();
        let uri = format!("{path}/?EIO={version}&transport=polling&sid={sid}");
        let mut request = Request::new(full(body));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(uri).ok()?;
        let response = self.ask(request).await;
        (response.status() == StatusCode::OK).then(|| response.into_body())
    }

    /// Ends a session, once what it is owed is written or its time is over.
    pub(crate) async fn close(&self, connection: &Connection, cause: CloseReason) {
        if cause != CloseReason::Overflow {
            // One that does not read is cut off all the same.
            let _ = tokio::time::timeout(self.settings.close_timeout, connection.flushed()).await;
        }
        connection.kill(Some(cause));
        // For a session on polling, which has no stream to end.
        self.ask_as(connection, Method::POST, connection.protocol().close()).await;
    }

    /// Ends all sessions without a client, once the server drains: those with clients end with the last of them.
    pub(crate) async fn close_vacant(&self) {
        let vacant = self.registry.all().into_iter().filter(|connection| connection.is_vacant());
        join_all(vacant.map(|connection| async move {
            self.close(&connection, CloseReason::Draining).await;
        }))
        .await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Ends a session that was refused while the server drains.
    pub(crate) fn close_soon(self: &Arc<Self>, connection: Arc<Connection>) {
        let front = Arc::clone(self);
        self.tracker.spawn(async move { front.close(&connection, CloseReason::Draining).await });
    }

    /// Answers one request on the path.
    async fn enter(self: &Arc<Self>, mut request: Request<HttpBody>) -> Response<HttpBody> {
        let sharing = match self.settings.origins.admit(&mut request, &CORS) {
            Ok(sharing) => sharing,
            Err(answer) => return answer,
        };
        let mut response = self.answer(request).await;
        sharing.apply(response.headers_mut());
        response
    }

    async fn answer(self: &Arc<Self>, request: Request<HttpBody>) -> Response<HttpBody> {
        let asked = Asked::read(request.uri());
        let protocol = match asked.version.map(Protocol::read) {
            Some(Some(protocol)) if protocol == Protocol::V4 || self.settings.eio3 => protocol,
            Some(_) => return unsupported_version(),
            // The engine refuses it, and knows best what is missing.
            None => return self.ask(request).await.map(full),
        };
        if asked.transport.is_some_and(|transport| !TRANSPORTS.contains(&transport)) {
            return unknown_transport();
        }
        let session = match asked.sid {
            Some(text) => match self.registry.find(text) {
                // What it speaks was settled with its first request.
                Some(connection) if connection.protocol() != protocol => return bad_request(),
                Some(connection) => Some(connection),
                None => return unknown_session(),
            },
            None if self.draining.is_cancelled() => return going_away(),
            None => None,
        };
        match (asked.is_websocket() && is_websocket_upgrade(request.headers()), session) {
            (true, session) => self.websocket(request, protocol, session),
            (false, Some(connection)) => self.poll(request, connection).await,
            (false, None) if asked.is_websocket() || request.method() != Method::GET => {
                self.ask(request).await.map(full)
            }
            (false, None) => self.begin(request, protocol).await,
        }
    }

    fn connection(&self, protocol: Protocol) -> Result<Arc<Connection>> {
        self.registry.open(|secret| Connection::new(secret, protocol, Arc::downgrade(&self.registry)))
    }

    /// The request in the engine's terms.
    fn within<B>(&self, request: Request<B>, connection: &Connection) -> Option<Request<B>> {
        let (mut parts, body) = request.into_parts();
        parts.uri = names::with_sid(&parts.uri, connection.sid()?)?;
        Some(Request::from_parts(parts, body))
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("settings", &self.settings).finish_non_exhaustive()
    }
}
