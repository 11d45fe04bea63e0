//! The adapter and its builder.

use std::{sync::Arc, time::Duration};

use narthex_core::{
    Capability, CloseReason, Connect, Options, Result, ResumeOptions, Session, WebSocketAdapter,
};
use narthex_http::{Claim, Http, Mount, Origins, Route};
use tokio::sync::{Semaphore, SetOnce};

use crate::{
    claim::{is_for_streams, is_for_tickets},
    client::SseClient,
    door::Door,
    envelope::Base64Envelope,
    settings::Settings,
    ticket::TICKETS,
    tickets::Tickets,
};

/// The SSE door: `GET` opens a stream of events, `POST` carries messages up, `DELETE` leaves; together they are one
/// session in the [`Base64Envelope`].
///
/// It opens on the shared HTTP listener, at the path of each namespace, and answers there only what is its own: a page
/// and a WebSocket can be at the same path.
///
/// | bound | default | when it is reached |
/// | --- | --- | --- |
/// | [`grace`](Self::grace) | 30 s without a stream | the client is gone |
/// | [`max_detached`](Self::max_detached) | 1,000 clients without a stream | one more that loses its stream is gone at once |
/// | [`ring`](Self::ring) | the outbox's bounds | with a stream: older frames are forgotten. Without: the outbox fills, and its policy acts |
/// | [`ping_interval`](Self::ping_interval) | 15 s | a ping |
/// | [`max_message`](Self::max_message) | 64 KiB | the POST is answered 413 |
/// | [`max_batch`](Self::max_batch), [`max_body`](Self::max_body) | 100 messages, 256 KiB | the POST is answered 413 |
/// | [`post_patience`](Self::post_patience) | 1 s until there is room | the POST is answered 429 |
/// | [`ticket_lifetime`](Self::ticket_lifetime), [`max_tickets`](Self::max_tickets) | 30 s, 1,000 | 204; 429 |
/// | [`stall_timeout`](Self::stall_timeout) | 10 s in which a stream takes nothing | it is cut; then `grace` |
/// | [`close_timeout`](Self::close_timeout) | 5 s for what is left at the end | the session ends without it |
///
/// The connection of a stream that takes nothing is the listener's to end
/// ([`write_timeout`](narthex_http::HttpConfig::write_timeout)).
///
/// ```
/// use narthex_sse::Sse;
/// use std::time::Duration;
///
/// let door = Sse::new().mount("/events", "/").grace(Duration::from_secs(60)).max_message(1024 * 1024);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an adapter does nothing until a server has it"]
pub struct Sse {
    mounts: Vec<(String, String)>,
    origins: Origins,
    settings: Settings,
    ring: Option<(usize, usize)>,
}

impl Sse {
    /// The door with its defaults: every namespace at its own path, pages of the same origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a namespace at a path of the listener. Without a call every namespace is open at its own path.
    ///
    /// Both may be patterns; a parameter of the namespace stands as a whole segment in the path:
    /// `mount("/events/game/{id}", "/game/{id}")`.
    pub fn mount(mut self, path: impl Into<String>, namespace: impl Into<String>) -> Self {
        self.mounts.push((path.into(), namespace.into()));
        self
    }

    /// Which web pages may come, and read the answers (CORS). Others are refused with 403. Without a call it is the rule of
    /// the server's [`OriginLayer`](narthex_http::OriginLayer), else the same origin; with one, both must let a page in.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// How long a client may be without a stream. Zero: it is gone with its stream.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// How many clients may be without a stream at a time.
    pub fn max_detached(mut self, clients: usize) -> Self {
        self.settings.max_detached = clients;
        self
    }

    /// How many frames, and how many bytes, are kept for each client until it has confirmed them.
    pub fn ring(mut self, messages: usize, bytes: usize) -> Self {
        self.ring = Some((messages, bytes));
        self
    }

    /// How long a stream may be quiet before it is sent a ping. [`Duration::MAX`] never pings.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = interval;
        self
    }

    /// The largest message, in bytes. Bytes in base64 count decoded.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = bytes;
        self
    }

    /// The most messages of one POST.
    pub fn max_batch(mut self, messages: usize) -> Self {
        self.settings.max_batch = messages;
        self
    }

    /// The largest body of a POST, in bytes. It is raised where one message would not fit.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// How long a POST waits while too much of its client waits to be handled.
    pub fn post_patience(mut self, patience: Duration) -> Self {
        self.settings.post_patience = patience;
        self
    }

    /// How long a ticket is good for.
    pub fn ticket_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.ticket_lifetime = lifetime;
        self
    }

    /// How many tickets may be open at a time.
    pub fn max_tickets(mut self, tickets: usize) -> Self {
        self.settings.max_tickets = tickets;
        self
    }

    /// How long a stream may take nothing of what waits for it.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.settings.stall_timeout = timeout;
        self
    }

    /// How long a stream may take, once its session has ended, to take what is left.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    fn door(&self, options: &Options) -> Door {
        let settings = self.settings.clone();
        let permits = settings.max_detached.min(Semaphore::MAX_PERMITS);
        let mut resume = ResumeOptions::new(options.limits())
            .grace(settings.grace)
            .detached(Arc::new(Semaphore::new(permits)))
            .stall(settings.stall_timeout)
            .farewell(settings.close_timeout);
        if let Some((messages, bytes)) = self.ring {
            resume = resume.ring(messages, bytes);
        }
        Door {
            origins: self.origins.clone(),
            resume,
            sessions: Arc::default(),
            tickets: Tickets::new(settings.ticket_lifetime, settings.max_tickets),
            envelope: Arc::new(Base64Envelope),
            draining: options.draining(),
            connect: SetOnce::new(),
            settings,
        }
    }
}

/// The paths of an [`Sse`] on the shared listener.
#[derive(Debug)]
pub struct SseServer {
    door: Arc<Door>,
}

fn streams(door: &Arc<Door>, route: &Arc<Route>) -> Mount {
    let (size, door, route) = (door.settings.body_size(), Arc::clone(door), Arc::clone(route));
    let mount = Mount::new(Claim::Requests, move |request| {
        let (door, route) = (Arc::clone(&door), Arc::clone(&route));
        async move { door.enter(&route, request).await }
    });
    mount.only("event streams", is_for_streams).body_size(size)
}

fn tickets(door: &Arc<Door>, route: &Arc<Route>) -> Mount {
    let (door, route) = (Arc::clone(door), Arc::clone(route));
    let mount = Mount::new(Claim::Requests, move |request| {
        let (door, route) = (Arc::clone(&door), Arc::clone(&route));
        async move { door.enter_tickets(&route, request).await }
    });
    mount.only("tickets", is_for_tickets)
}

impl WebSocketAdapter for Sse {
    type Server = SseServer;
    type Client = SseClient;

    fn capability(&self) -> Capability {
        Capability::default()
            .with_name("sse")
            .with_binary(true)
            .with_refuses_over_http(true)
            .with_close_codes(true)
            .with_framing(true)
    }

    async fn create(&self, options: &Options) -> Result<SseServer> {
        let door = Arc::new(self.door(options));
        let http = options.resource_or_insert_with(Http::new);
        for route in Route::all(&self.mounts, options)? {
            let route = Arc::new(route);
            http.mount(route.path(), streams(&door, &route))?;
            // Nothing can be below a path that takes all the rest.
            if !route.path().contains("{*") {
                let below = format!("{}{TICKETS}", route.path().trim_end_matches('/'));
                http.mount(&below, tickets(&door, &route))?;
            }
        }
        http.open(options).await?;
        Ok(SseServer { door })
    }

    async fn bind_client_connect(&self, server: SseServer, connect: Connect<SseClient>) -> Result<()> {
        let announced = server.door.connect.set(connect.clone());
        debug_assert!(announced.is_ok(), "a server is bound once");
        connect.draining().await;
        Ok(())
    }

    async fn bind_message_handlers(&self, client: SseClient, session: Session) -> CloseReason {
        let id = session.client().id();
        client.sessions.insert(id, Arc::clone(&client.entry));
        let listed = Listed { client: &client, id };
        let reason = client.entry.resumable.run(session).await;
        drop(listed);
        reason
    }
}

/// A client whose token is known, until this is dropped.
struct Listed<'a> {
    client: &'a SseClient,
    id: narthex_core::ClientId,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.client.sessions.remove(self.id);
    }
}
