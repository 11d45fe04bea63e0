//! The HTTP in front of the engine. The engine's session ids are public in its protocol and open its sessions; here the peer
//! gets a secret instead, which the engine never sees, and the ids of its clients, which open nothing.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use narthex_core::{CloseReason, Options, Result};
use narthex_http::{
    Claim, Cors, Http, HttpBody, Mount, Origins, Upgrading, collect, empty, full, is_websocket_upgrade,
    upgrade,
};
use socketioxide_core::Sid;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    connection::Connection,
    engine::{Engine, failed},
    io::{Announce, CONNECT, EngineIo, is_message},
    registry::Registry,
    settings::Settings,
    websocket::switching,
};

/// What separates packets in the body of a poll.
const SEPARATOR: u8 = 0x1e;

/// The engine's close packet.
const CLOSE: &[u8] = b"1";

/// How much later a request may come than one that was sent after it, on another connection.
const MOMENT: Duration = Duration::from_millis(30);

/// What pages of the allowed origins may do.
static CORS: Cors = Cors {
    methods: HeaderValue::from_static("GET, POST"),
    headers: HeaderValue::from_static("authorization, content-type"),
    exposed: None,
};

/// What a request asks of the engine.
struct Asked<'a> {
    websocket: bool,
    sid: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(uri: &'a Uri) -> Self {
        let find = |name: &str| {
            let pairs = uri.query().unwrap_or_default().split('&');
            pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).next()
        };
        Self { websocket: find("transport") == Some("websocket"), sid: find("sid") }
    }
}

/// The HTTP in front of one engine.
pub(crate) struct Front {
    pub(crate) settings: Settings,
    origins: Origins,
    registry: Arc<Registry>,
    draining: CancellationToken,
    tracker: TaskTracker,
    engine: OnceLock<Box<dyn Engine>>,
    /// Told of each CONNECT packet before the engine sees it, where namespaces are made on demand.
    pub(crate) announce: OnceLock<Announce>,
}

impl Front {
    pub(crate) fn new(settings: Settings, origins: Origins, options: &Options) -> Arc<Self> {
        Arc::new(Self {
            settings,
            origins,
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
        let uri = format!("{path}/?EIO=4&transport=polling&sid={sid}");
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
        self.ask_as(connection, Method::POST, "1").await;
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
        let sharing = match self.origins.admit(&mut request, &CORS) {
            Ok(sharing) => sharing,
            Err(answer) => return answer,
        };
        let mut response = self.answer(request).await;
        sharing.apply(response.headers_mut());
        response
    }

    async fn answer(self: &Arc<Self>, request: Request<HttpBody>) -> Response<HttpBody> {
        let asked = Asked::read(request.uri());
        let session = match asked.sid {
            Some(text) => match self.registry.find(text) {
                Some(connection) => Some(connection),
                None => return unknown_session(),
            },
            None if self.draining.is_cancelled() => return going_away(),
            None => None,
        };
        match (asked.websocket && is_websocket_upgrade(request.headers()), session) {
            (true, session) => self.websocket(request, session),
            (false, Some(connection)) => self.poll(request, connection).await,
            (false, None) if asked.websocket || request.method() != Method::GET => {
                self.ask(request).await.map(full)
            }
            (false, None) => self.begin(request).await,
        }
    }

    /// Begins a session on polling.
    async fn begin(&self, mut request: Request<HttpBody>) -> Response<HttpBody> {
        let Ok(connection) = self.connection() else { return unavailable() };
        request.extensions_mut().insert(Arc::clone(&connection));
        let response = self.ask(request).await;
        if response.status() != StatusCode::OK {
            return response.map(full);
        }
        let (mut head, packet) = response.into_parts();
        let renamed = rename(&packet, &connection).map_or(packet, Bytes::from);
        // The engine pings at once. The peer expects its first ping after the interval, so it is answered here.
        let early = async {
            self.ask_as(&connection, Method::GET, "").await;
            self.ask_as(&connection, Method::POST, "3").await;
        };
        if tokio::time::timeout(self.settings.ping_timeout, early).await.is_err() {
            connection.kill(None);
            return unavailable();
        }
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(renamed.len()));
        Response::from_parts(head, full(renamed))
    }

    fn connection(&self) -> Result<Arc<Connection>> {
        self.registry.open(|secret| Connection::new(secret, Arc::downgrade(&self.registry)))
    }

    /// One request of a session on polling.
    async fn poll(&self, request: Request<HttpBody>, connection: Arc<Connection>) -> Response<HttpBody> {
        let Some(request) = self.within(request, &connection) else { return unknown_session() };
        if request.method() == Method::POST {
            return self.post(request, &connection).await;
        }
        let (mut head, body) = self.take(request, &connection).await.into_parts();
        if head.status != StatusCode::OK {
            return Response::from_parts(head, full(body));
        }
        let body = rename_all(body, &connection);
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        Response::from_parts(head, full(body))
    }

    /// A peer's packets.
    async fn post(&self, request: Request<HttpBody>, connection: &Connection) -> Response<HttpBody> {
        // The engine would read on and on; the peer waits for its answer instead.
        let patience = self.settings.ping_interval + self.settings.ping_timeout;
        if tokio::time::timeout(patience, connection.readable()).await.is_err() {
            return too_many();
        }
        let (parts, body) = request.into_parts();
        let body = match collect(body).await {
            Ok(body) => body,
            Err(error) => return error.response(),
        };
        if let Some(announce) = self.announce.get() {
            body.split(|byte| *byte == SEPARATOR)
                .filter(|p| p.starts_with(CONNECT))
                .for_each(|p| announce(p));
        }
        if body == CLOSE {
            // It releases the poll that the peer has sent before, which may come later on the other connection.
            let _ = tokio::time::timeout(MOMENT, connection.polled()).await;
        }
        self.ask(Request::from_parts(parts, full(body))).await.map(full)
    }

    /// What the engine has for a poll. A poll that comes while the session is being upgraded may have overtaken the end of
    /// the upgrade on the other connection, so it is given a moment before it is answered with nothing.
    async fn take(&self, request: Request<HttpBody>, connection: &Connection) -> Response<Bytes> {
        const NOTHING: &[u8] = b"6";
        const TURNS: u32 = 6;
        let _polling = connection.begin_poll();
        let (parts, _) = request.into_parts();
        let mut turns = if connection.is_upgrading() { TURNS } else { 0 };
        loop {
            let response = self.ask(Request::from_parts(parts.clone(), empty())).await;
            if turns == 0 || response.body() != NOTHING {
                return response;
            }
            turns -= 1;
            tokio::time::sleep(MOMENT / TURNS).await;
        }
    }

    /// The request in the engine's terms.
    fn within<B>(&self, request: Request<B>, connection: &Connection) -> Option<Request<B>> {
        let (mut parts, body) = request.into_parts();
        parts.uri = with_sid(&parts.uri, connection.sid()?)?;
        Some(Request::from_parts(parts, body))
    }

    /// Takes a WebSocket: it begins a session, or a session on polling goes on with it.
    fn websocket(
        self: &Arc<Self>,
        mut request: Request<HttpBody>,
        session: Option<Arc<Connection>>,
    ) -> Response<HttpBody> {
        let upgrading = upgrade(&mut request);
        let (parts, _) = request.into_parts();
        let mut request = Request::from_parts(parts, ());
        let Some(switching) = switching(&request) else { return bad_upgrade() };
        let opening = session.is_none();
        let connection = match session {
            Some(connection) => {
                let Some(within) = self.within(request, &connection) else { return unknown_session() };
                request = within;
                connection.set_upgrading();
                connection
            }
            None => {
                let Ok(connection) = self.connection() else { return unavailable() };
                request.extensions_mut().insert(Arc::clone(&connection));
                connection
            }
        };
        self.tracker.spawn(Arc::clone(self).carry(upgrading, request, connection, opening));
        switching.map(|()| empty())
    }

    /// Gives a WebSocket to the engine once its 101 has left, and waits for its end.
    async fn carry(
        self: Arc<Self>,
        upgrading: Upgrading,
        request: Request<()>,
        connection: Arc<Connection>,
        opening: bool,
    ) {
        let (Ok(io), Some(engine)) = (upgrading.await, self.engine.get()) else { return };
        let (stream, leftover, permit) = io.into_parts();
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let deadline = self.settings.write_deadline;
        let announce = self.announce.get().cloned();
        let stream = (stream, leftover);
        let io = EngineIo::new(stream, Arc::clone(&connection), opening, deadline, announce, guard);
        let weak = Arc::downgrade(&connection);
        drop(connection);
        if engine.carry(io, request) {
            gone.cancelled().await;
        }
        drop(permit);
        if !opening && let Some(connection) = weak.upgrade() {
            // The engine keeps a session waiting whose upgrade has failed.
            self.ask_as(&connection, Method::POST, "1").await;
        }
    }
}

/// The same URI with the engine's session id.
fn with_sid(uri: &Uri, sid: Sid) -> Option<Uri> {
    let pairs = uri.query()?.split('&').map(|pair| match pair.starts_with("sid=") {
        true => format!("sid={sid}"),
        false => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Uri::try_from(format!("{}?{query}", uri.path())).ok()
}

/// The open packet and CONNECT packets in the peer's terms; `None` for every other packet.
pub(crate) fn rename(packet: &[u8], connection: &Connection) -> Option<Vec<u8>> {
    const MEMBER: &[u8] = b"\"sid\":\"";
    let at = packet.windows(MEMBER.len()).position(|window| window == MEMBER)? + MEMBER.len();
    let len = packet[at..].iter().position(|byte| *byte == b'"')?;
    let id = if packet.first() == Some(&b'0') {
        if let Some(sid) = std::str::from_utf8(&packet[at..at + len]).ok().and_then(|sid| sid.parse().ok()) {
            connection.set_sid(sid);
        }
        connection.secret()
    } else {
        let rest = std::str::from_utf8(packet.strip_prefix(b"40")?).ok()?;
        let namespace = if rest.starts_with('/') { rest.split_once(',')?.0 } else { "/" };
        connection.id(namespace)?.to_string()
    };
    Some([&packet[..at], id.as_bytes(), &packet[at + len..]].concat())
}

/// The body of a poll in the peer's terms.
fn rename_all(body: Bytes, connection: &Connection) -> Bytes {
    let (mut messages, mut bytes) = (0, 0);
    let mut renamed = BytesMut::with_capacity(body.len() + 32);
    for (at, packet) in body.split(|byte| *byte == SEPARATOR).enumerate() {
        if at > 0 {
            renamed.extend_from_slice(&[SEPARATOR]);
        }
        if is_message(packet) {
            messages += 1;
            bytes += packet.len();
        } else if packet.first() == Some(&b'b') {
            // Base64 (RFC 4648 section 4).
            bytes += (packet.len() - 1) / 4 * 3;
        }
        match packet.starts_with(b"40").then(|| rename(packet, connection)).flatten() {
            Some(packet) => renamed.extend_from_slice(&packet),
            None => renamed.extend_from_slice(packet),
        }
    }
    if messages + bytes > 0 {
        connection.wrote(messages, bytes);
    }
    renamed.freeze()
}

/// An answer in the form of the engine's own errors.
fn refusal(status: StatusCode, body: &'static str) -> Response<HttpBody> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn unknown_session() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":1,"message":"Session ID unknown"}"#)
}

fn bad_upgrade() -> Response<HttpBody> {
    refusal(StatusCode::BAD_REQUEST, r#"{"code":3,"message":"Bad request"}"#)
}

fn going_away() -> Response<HttpBody> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, r#"{"code":4,"message":"The server is going away"}"#)
}

fn unavailable() -> Response<HttpBody> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, r#"{"code":4,"message":"Unavailable"}"#)
}

fn too_many() -> Response<HttpBody> {
    refusal(StatusCode::TOO_MANY_REQUESTS, r#"{"code":4,"message":"Overloaded"}"#)
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("settings", &self.settings).finish_non_exhaustive()
    }
}
