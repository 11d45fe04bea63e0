//! The adapter and its builder.

use std::{
    future::poll_fn,
    sync::{Arc, OnceLock},
    time::Duration,
};

use narthex_core::{
    Capability, CloseReason, Connect, Denied, Error, ErrorKind, Options, Overflow, Result, Session,
    WebSocketAdapter,
};
use narthex_http::Origins;
use socketioxide::{ParserConfig, SocketIo as Io, TransportType};
use tokio::sync::SetOnce;

use crate::{
    door::Door,
    engine::{Elsewhere, Engine},
    entry::{Entry, Lobby},
    front::Front,
    io::Announce,
    member::{Member, SocketIoClient},
    settings::Settings,
};

/// The Socket.IO door: any official client of socket.io 3 and 4 (and 2, with `allow_eio3`), over WebSocket, HTTP polling and the upgrade between them.
///
/// It opens at one path of the shared HTTP listener. A gateway's namespace is the Socket.IO namespace, and each namespace that
/// a peer is in is one client, whose id is the `socket.id` that the peer reads.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | [`max_message`](Self::max_message) | 64 KiB, on polling and WebSocket, attachments included | the connection is closed |
/// | [`max_attachments`](Self::max_attachments) | 10 a message | the connection is closed |
/// | [`buffer`](Self::buffer) | 4096 messages, and the outbox's bytes | the client is disconnected |
/// | [`ping_interval`](Self::ping_interval), [`ping_timeout`](Self::ping_timeout) | 25 s, 10 s | the connection is closed |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s until the first namespace | the connection is closed |
/// | [`upgrade_timeout`](Self::upgrade_timeout) | 10 s | the connection is closed |
/// | [`write_deadline`](Self::write_deadline) | 5 s | the connection is cut |
/// | [`close_timeout`](Self::close_timeout) | 1 s | the connection is cut, after the client was told to leave |
///
/// ```
/// use narthex_socketio::SocketIo;
/// use std::time::Duration;
///
/// let door = SocketIo::new().path("/realtime").ping_interval(Duration::from_secs(50)).max_message(1024 * 1024);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an adapter does nothing until a server has it"]
pub struct SocketIo {
    settings: Settings,
}

impl SocketIo {
    /// The door with its defaults: the path `/socket.io`, pages of the same origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path on the listener, `/socket.io` where nothing is said.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.settings = self.settings.at(path);
        self
    }

    /// Which web pages may connect, on every transport. Others are refused with 403. Without a call it is the rule of the server's
    /// [`OriginLayer`](narthex_http::OriginLayer), else the same origin; with one, both must let a page in.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.settings.origins = origins;
        self
    }

    /// WebSocket alone: clients have to begin with it (`transports: ["websocket"]`).
    pub fn websocket_only(mut self) -> Self {
        self.settings.polling = false;
        self
    }

    /// Lets clients in that speak Engine.IO 3, which is what socket.io 2 speaks. Off until it is called.
    ///
    /// The protocol has its ways: such a client is in the root namespace before it is in any other; it reads no `socket.id` of its
    /// own, but makes it of its session's name. That name opens the session, so an application must not hand it round: tell a
    /// client its [`ClientId`](narthex_core::ClientId) instead. A namespace's query (`/chat?token=…`) is the query of that
    /// namespace's handshake. JSONP is not spoken.
    #[cfg(feature = "eio3")]
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.settings.eio3 = allow;
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

    /// How long a connection may stay without a namespace.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long the upgrade from polling to WebSocket may take.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.settings.upgrade_timeout = timeout;
        self
    }

    /// How long a WebSocket may take no byte although there is something to write.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.settings.write_deadline = deadline;
        self
    }

    /// How long what is queued may take to leave once a client is made to leave.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    /// How long a concrete namespace of a pattern (`/game/{id}`) is kept once everybody has left it.
    pub fn namespace_grace(mut self, grace: Duration) -> Self {
        self.settings.namespace_grace = grace;
        self
    }

    /// The largest message, in bytes, and the largest body of a POST.
    ///
    /// The listener's [`HttpConfig::body_size`](narthex_http::HttpConfig::body_size) bounds a POST too.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = bytes;
        self
    }

    /// The most binary attachments of one message.
    pub fn max_attachments(mut self, attachments: usize) -> Self {
        self.settings.max_attachments = attachments;
        self
    }

    /// How many messages may wait for a connection to take them.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.settings.buffer = messages;
        self
    }

    fn door(&self, options: &Options) -> Arc<Door> {
        let limits = options.limits();
        let literal = options.namespaces().into_iter().filter(|path| !is_pattern(path));
        Arc::new(Door {
            front: Front::new(self.settings.clone(), options),
            limits: options.decode_limits(),
            outbox_bytes: limits.outbox_bounds().1,
            direct: limits.overflow_policy() == Overflow::Disconnect,
            envelope: Arc::new(Member::envelope()),
            // The root is never freed, be it the lobby of old clients.
            literal: literal.chain(["/".to_owned()]).collect(),
            places: Arc::default(),
            io: OnceLock::new(),
            connect: SetOnce::new(),
        })
    }
}

/// Sets the engine up, with an entry at each namespace.
fn start(door: &Arc<Door>, namespaces: &[String]) -> Result<Box<dyn Engine>> {
    /// What the engine may queue beyond what members are bounded to: pings, answers and goodbyes.
    const SLACK: usize = 1024;
    let settings = &door.front.settings;
    let parser = ParserConfig::common()
        .max_incoming_binaries(settings.max_attachments)
        .max_incoming_binary_buf_size(settings.max_message)
        .packet_completion_timeout(settings.connect_timeout);
    let builder = Io::builder()
        .req_path(settings.path.clone())
        .ping_interval(settings.ping_interval)
        .ping_timeout(settings.ping_timeout)
        .connect_timeout(settings.connect_timeout)
        .upgrade_timeout(settings.upgrade_timeout)
        .max_payload(settings.max_message as u64)
        .ws_max_message_size(settings.max_message)
        .ws_max_frame_size(settings.max_message)
        .max_buffer_size(settings.buffer.saturating_add(SLACK))
        .with_parser(parser);
    let builder = match settings.polling {
        true => builder.transports([TransportType::Polling, TransportType::Websocket]),
        false => builder.transports([TransportType::Websocket]),
    };
    let (service, io) = builder.with_adapter(Arc::clone(&door.places)).build_with_inner_svc(Elsewhere);
    for path in namespaces {
        let entry = Entry(Arc::downgrade(door));
        if is_pattern(path) {
            io.dyn_ns(path, entry).map_err(|error| {
                let context = format!("the namespace {path:?} cannot be one of Socket.IO");
                Error::new(ErrorKind::Config, context).with_source(error)
            })?;
        } else {
            io.ns(path.clone(), entry);
        }
    }
    if settings.eio3 && !namespaces.iter().any(|path| path == "/") {
        io.ns("/", Lobby);
    }
    if namespaces.iter().any(|path| is_pattern(path)) {
        let announced = door.front.announce.set(announce(door, namespaces)?);
        debug_assert!(announced.is_ok(), "a door is opened once");
    }
    let started = door.io.set(io);
    debug_assert!(started.is_ok(), "a door is opened once");
    Ok(Box::new(service))
}

/// Makes a namespace of a pattern before the engine sees who comes to it.
fn announce(door: &Arc<Door>, namespaces: &[String]) -> Result<Announce> {
    let mut patterns = matchit::Router::new();
    for path in namespaces.iter().filter(|path| is_pattern(path)) {
        patterns.insert(path.clone(), ()).map_err(|error| {
            Error::new(ErrorKind::Config, format!("the namespace {path:?} is no pattern")).with_source(error)
        })?;
    }
    let door = Arc::downgrade(door);
    Ok(Arc::new(move |packet| {
        let path = packet.strip_prefix(b"40").and_then(|rest| std::str::from_utf8(rest).ok());
        let path = path.and_then(|rest| rest.split(',').next());
        if let (Some(path), Some(door)) = (path, door.upgrade())
            && door.is_dynamic(path)
            && patterns.at(path).is_ok()
            && let Some(io) = door.io.get()
        {
            let entry = Entry(Arc::downgrade(&door));
            door.places.ensure(path, || io.ns(path.to_owned(), entry));
        }
    }))
}

fn is_pattern(path: &str) -> bool {
    path.contains('{')
}

/// The place of a [`SocketIo`] on the shared listener.
#[derive(Debug)]
pub struct SocketIoServer {
    door: Arc<Door>,
    patterns: bool,
}

impl WebSocketAdapter for SocketIo {
    type Server = SocketIoServer;
    type Client = SocketIoClient;

    fn capability(&self) -> Capability {
        Capability::default().with_name("socketio").with_binary(true)
    }

    async fn create(&self, options: &Options) -> Result<SocketIoServer> {
        let door = self.door(options);
        let namespaces = options.namespaces();
        let engine = start(&door, &namespaces)?;
        door.front.open(engine, options).await?;
        Ok(SocketIoServer { door, patterns: namespaces.iter().any(|path| is_pattern(path)) })
    }

    async fn bind_client_connect(
        &self,
        server: SocketIoServer,
        connect: Connect<SocketIoClient>,
    ) -> Result<()> {
        let SocketIoServer { door, patterns } = server;
        let announced = door.connect.set(connect.clone());
        debug_assert!(announced.is_ok(), "a server is bound once");
        let sweeping = async {
            loop {
                let grace = door.front.settings.namespace_grace;
                door.places.sweep(grace, |path| door.is_dynamic(path), |path| door.free(path)).await;
            }
        };
        tokio::select! {
            () = connect.draining() => {}
            () = sweeping, if patterns => {}
        }
        door.front.close_vacant().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: SocketIoClient, mut session: Session) -> CloseReason {
        let SocketIoClient { member, door, verdict } = client;
        let cut = Cut(Some(Arc::clone(&member)));
        let id = session.client().id();
        let judged = poll_fn(|cx| session.poll_connect(cx)).await;
        if let Err(denied) = judged {
            leave(&member);
            let text = Denied::message(&denied).to_owned();
            // The peer may have left meanwhile.
            let _ = verdict.send(Err(text.clone()));
            cut.disarm();
            return CloseReason::disconnected(1008, text);
        }
        member.place().learn(id, member.sid());
        member.open(session, door.direct);
        let _ = verdict.send(Ok(id));
        let reason = poll_fn(|cx| member.poll(cx)).await;
        member.place().forget(id);
        let closes = farewell(&member, &reason);
        // What runs goes on while the peer is told.
        member.close();
        if closes {
            door.front.close(member.connection(), reason.clone()).await;
        }
        cut.disarm();
        reason
    }
}

/// Ends the connection of a client whose task is dropped before its end: the drain's time is over.
struct Cut(Option<Arc<Member>>);

impl Cut {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(member) = &self.0 {
            leave(member);
            member.close();
            member.connection().kill(Some(CloseReason::Draining));
        }
    }
}

/// Gives the member's place on its connection back, and says whether it was the last.
fn leave(member: &Member) -> bool {
    member.connection().rise(member)
}

/// Tells the peer that it has left, and says whether its connection is to be closed: it carries nobody else.
fn farewell(member: &Member, reason: &CloseReason) -> bool {
    let ours = matches!(
        reason,
        CloseReason::Disconnected { .. }
            | CloseReason::Overflow
            | CloseReason::Draining
            | CloseReason::Failed(_)
    );
    let last = leave(member);
    if !ours {
        return false;
    }
    member.connection().count(0);
    member.place().disconnect(member.sid());
    last || *reason == CloseReason::Overflow
}
