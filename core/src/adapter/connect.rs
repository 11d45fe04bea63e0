//! From an arriving peer to an open client.

use std::{
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    task::Poll,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, Request, Response};

use super::{Capability, Session, Shared, engine::Engine};
use crate::{
    client::{
        Client, ClientId, CloseReason, HandshakeInfo, OnOpen, SharedConnection, Wire, hide_credentials,
    },
    gateway::{Namespace, Place, canonical, find_namespace, refusal},
    message::{Envelope, Framing, JsonEnvelope},
    observer::Refused,
    panic::caught,
    reply::{Denied, DeniedKind},
    room::HubInner,
    stats::Counters,
};

type Carry<C> = Arc<dyn Fn(C, Session) -> BoxFuture<'static, CloseReason> + Send + Sync>;

/// Announces arriving peers to the core. Cheap to clone.
pub struct Connect<C> {
    shared: Arc<Shared>,
    /// The namespaces of the door's address.
    namespaces: Arc<[Arc<Namespace>]>,
    carry: Carry<C>,
    capability: Capability,
}

impl<C> Clone for Connect<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            namespaces: Arc::clone(&self.namespaces),
            carry: Arc::clone(&self.carry),
            capability: self.capability,
        }
    }
}

impl<C: Send + 'static> Connect<C> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        namespaces: Arc<[Arc<Namespace>]>,
        carry: Carry<C>,
        capability: Capability,
    ) -> Self {
        Self { shared, namespaces, carry, capability }
    }

    /// Judges a handshake: finds the namespace of the request's path, runs its layers and connect guards.
    ///
    /// The path of the request's URI is the namespace's; put a [`PeerAddr`](crate::PeerAddr) in its extensions
    /// where the door knows it.
    ///
    /// Cancel safe: nobody is let in by a future that was dropped.
    ///
    /// # Errors
    /// The refusal, as the HTTP answer that the guard or layer chose; 404 for a namespace that is unknown, or not open at the door's address; 503 when the
    /// server is full or drains, 408 when the stack takes too long.
    pub async fn handshake(&self, request: Request<()>) -> Result<Admission<C>, Response<Bytes>> {
        let namespace = self.pattern(&request);
        let judged = self.judge(request).await;
        self.count(namespace, judged)
    }

    /// Runs the layers and connect guards of a handshake again, for a client that is open: its carrier is another, and
    /// may be somebody else's. No client is opened, and none is counted.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// The refusal, as [`handshake`](Self::handshake) gives it.
    pub async fn recheck(&self, request: Request<()>) -> Result<Rechecked, Response<Bytes>> {
        let namespace = self.pattern(&request);
        let judged = match self.is_draining() {
            true => Err(going_away().await),
            false => self.examine(request).await,
        };
        let judged = self.count(namespace, judged);
        judged.map(|Examined { hub, handshake, headers, on_open, .. }| Rechecked {
            hub,
            handshake,
            headers,
            on_open,
        })
    }

    /// The namespace of a request, as it was registered.
    fn pattern(&self, request: &Request<()>) -> Option<Arc<Namespace>> {
        find_namespace(&self.namespaces, &canonical(request.uri().path())).map(|(found, _)| Arc::clone(found))
    }

    fn count<T>(
        &self,
        namespace: Option<Arc<Namespace>>,
        judged: Result<T, Response<Bytes>>,
    ) -> Result<T, Response<Bytes>> {
        judged.inspect_err(|refusal| {
            Counters::add(&self.shared.counters.refused);
            let namespace = namespace.as_ref().map(|namespace| &*namespace.pattern);
            let refused = Refused { adapter: self.capability.name, namespace, status: refusal.status() };
            self.shared.observe(|observer| observer.refused(&refused));
        })
    }

    fn is_draining(&self) -> bool {
        self.shared.draining.is_cancelled()
    }

    async fn judge(&self, request: Request<()>) -> Result<Admission<C>, Response<Bytes>> {
        if self.is_draining() {
            return Err(going_away().await);
        }
        let Some(permit) = Permit::take(&self.shared) else {
            return Err(refuse(DeniedKind::Overloaded, "The server is full").await);
        };
        let Examined { namespace, hub, handshake, headers, on_open } = self.examine(request).await?;
        Ok(Admission {
            shared: Arc::clone(&self.shared),
            namespace,
            hub,
            handshake: Arc::new(handshake),
            headers,
            on_open,
            envelope: Arc::new(JsonEnvelope),
            framing: None,
            connection: None,
            carry: Arc::clone(&self.carry),
            capability: self.capability,
            permit,
        })
    }

    async fn examine(&self, mut request: Request<()>) -> Result<Examined, Response<Bytes>> {
        let path: Arc<str> = canonical(request.uri().path()).as_ref().into();
        let Some((namespace, params)) = find_namespace(&self.namespaces, &path) else {
            return Err(refuse(DeniedKind::NotFound, "Unknown namespace").await);
        };
        let hub = namespace.hubs.get(&path);
        hide_credentials(request.headers_mut());
        let params = (!params.is_empty()).then_some(params);
        let adapter = self.capability.name;
        let place = Place { adapter, path: Arc::clone(&path), params: params.clone(), hub: Arc::clone(&hub) };
        request.extensions_mut().insert(place);
        let judged =
            tokio::time::timeout(self.shared.limits.handshake_timeout, namespace.judge(request)).await;
        let (mut parts, headers) = match judged {
            Ok(verdict) => verdict?,
            Err(_) => return Err(refuse(DeniedKind::Timeout, "The handshake took too long").await),
        };
        parts.extensions.remove::<Place>();
        let on_open = parts.extensions.remove::<OnOpen>();
        let handshake = HandshakeInfo::new(parts, adapter, path, params);
        Ok(Examined { namespace: Arc::clone(namespace), hub, handshake, headers, on_open })
    }

    /// Judges a handshake and opens the client in one step, and drives its life to the end.
    ///
    /// # Errors
    /// The refusal, as an HTTP answer: a door without HTTP says it in its own words.
    pub async fn admit(&self, request: Request<()>, client: C) -> Result<CloseReason, Response<Bytes>> {
        let admission = self.handshake(request).await?;
        Ok(admission.open(client).await)
    }

    /// Runs a client's future. It is owned: the drain waits for it, and its panic ends it alone.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let counters = Arc::clone(&self.shared.counters);
        self.shared.tracker.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                drop(caught("an adapter", &*panic, &counters));
            }
        });
    }

    /// Done when the server drains: accept nobody from then on.
    pub async fn draining(&self) {
        self.shared.draining.cancelled().await;
    }
}

impl<C> fmt::Debug for Connect<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect")
    }
}

/// What the stack of a handshake let pass.
struct Examined {
    namespace: Arc<Namespace>,
    hub: Arc<HubInner>,
    handshake: HandshakeInfo,
    headers: HeaderMap,
    on_open: Option<OnOpen>,
}

/// A handshake that was judged again, see [`Connect::recheck`].
pub struct Rechecked {
    hub: Arc<HubInner>,
    handshake: HandshakeInfo,
    headers: HeaderMap,
    on_open: Option<OnOpen>,
}

impl Rechecked {
    /// The handshake, with what its layers put in.
    pub fn handshake(&self) -> &HandshakeInfo {
        &self.handshake
    }

    /// Does with a client what the layers of this handshake want done with it ([`OnOpen`]): call it once the client goes on
    /// with the connection that this handshake is of. A client of another namespace, or that is gone, is left alone.
    pub fn renew(&self, client: ClientId) {
        if let (Some(on_open), Some(client)) = (&self.on_open, self.hub.everyone().get(client)) {
            on_open.run(&client);
        }
    }

    /// The handshake itself.
    pub fn into_handshake(self) -> HandshakeInfo {
        self.handshake
    }

    /// Headers that layers of the handshake want on the door's answer.
    pub fn response_headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl fmt::Debug for Rechecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rechecked").field("headers", &self.headers).finish_non_exhaustive()
    }
}

async fn going_away() -> Response<Bytes> {
    refuse(DeniedKind::Overloaded, "The server is going away").await
}

async fn refuse(kind: DeniedKind, text: &'static str) -> Response<Bytes> {
    use http_body_util::BodyExt;

    let (head, body) = refusal(&Denied::new(kind, text)).into_parts();
    // A body in memory cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(head, body)
}

/// One client's place among all that the server takes; given back when dropped.
pub(crate) struct Permit(Arc<Counters>);

impl Permit {
    fn take(shared: &Shared) -> Option<Self> {
        let counters = &shared.counters;
        let before = counters.clients.fetch_add(1, Ordering::AcqRel);
        let permit = Self(Arc::clone(counters));
        (before < shared.limits.clients).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An accepted handshake: opens the client once its carrier is there. Dropped, it lets nobody in.
#[must_use = "an admission lets nobody in until it is opened"]
pub struct Admission<C> {
    shared: Arc<Shared>,
    namespace: Arc<Namespace>,
    hub: Arc<HubInner>,
    handshake: Arc<HandshakeInfo>,
    headers: HeaderMap,
    on_open: Option<OnOpen>,
    envelope: Arc<dyn Envelope>,
    framing: Option<Framing>,
    connection: Option<SharedConnection>,
    carry: Carry<C>,
    capability: Capability,
    permit: Permit,
}

impl<C: Send + 'static> Admission<C> {
    /// Headers that layers of the handshake want on the door's answer.
    pub fn response_headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The handshake, with what its layers put in.
    pub fn handshake(&self) -> &HandshakeInfo {
        &self.handshake
    }

    /// How this client's messages are written. One `Arc` for all clients of an envelope lets broadcasts be encoded
    /// once; the default envelope where nothing is said.
    pub fn envelope(mut self, envelope: Arc<dyn Envelope>) -> Self {
        self.envelope = envelope;
        self
    }

    /// The door's own framing, so that broadcasts are framed once.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = Some(framing);
        self
    }

    /// The connection that carries this client among others.
    pub fn connection(mut self, connection: SharedConnection) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Opens the client and drives its whole life: `on_connect`, its messages, `on_disconnect`.
    ///
    /// Not cancel safe: dropped, the client is gone and its `on_disconnect` does not run. Run it in
    /// [`Connect::spawn`].
    pub fn open(self, client: C) -> BoxFuture<'static, CloseReason> {
        let wire = Wire::new(self.envelope, self.framing, self.capability.binary);
        let handle = Client::open(self.handshake, wire, self.hub, self.connection);
        if let Some(on_open) = &self.on_open {
            on_open.run(&handle);
        }
        let engine = Engine::new(handle, self.namespace, Arc::clone(&self.shared), self.permit);
        let slot = Arc::new(Mutex::new(None));
        let session = Session::new(engine, Arc::clone(&slot));
        let (shared, carry) = (self.shared, self.carry);
        Box::pin(async move {
            let (reason, engine) = carried(&shared, carry, client, session, slot).await;
            if let Some(engine) = engine {
                // Boxed: an idle client's task has no room for its end.
                Box::pin(engine.disconnect(reason.clone())).await;
            }
            reason
        })
    }
}

/// Lets the adapter carry the client, until it returns or the drain's time is over. The drain wakes the client's task,
/// so that no client needs a future of its own for it.
///
/// Once the adapter has given the session back, rooms are left and what runs runs to its end, while the adapter still says
/// goodbye: how long that takes is the peer's doing.
async fn carried<C>(
    shared: &Shared,
    carry: Carry<C>,
    client: C,
    session: Session,
    slot: Arc<Mutex<Option<Box<Engine>>>>,
) -> (CloseReason, Option<Box<Engine>>) {
    let take = || slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Ok(mut carrying) = catch_unwind(AssertUnwindSafe(|| carry(client, session))) else {
        // Boxed, as all of a client's end: its task has no room for it.
        let left = take().map(|engine| Box::pin(engine.leave()));
        return (CloseReason::Failed("the adapter panicked".to_owned()), maybe(left).await);
    };
    let mut leaving: Option<BoxFuture<'static, Box<Engine>>> = None;
    let mut left = None;
    let reason = poll_fn(|cx| {
        if shared.is_killed() {
            return Poll::Ready(CloseReason::Draining);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| carrying.as_mut().poll(cx))).unwrap_or_else(|panic| {
            drop(caught("an adapter", &*panic, &shared.counters));
            Poll::Ready(CloseReason::Failed("the adapter panicked".to_owned()))
        });
        // The session's own share of the slot is gone: it has been given back.
        if Arc::strong_count(&slot) == 1
            && let Some(engine) = take()
        {
            leaving = Some(Box::pin(engine.leave()));
        }
        if let Some(Poll::Ready(engine)) = leaving.as_mut().map(|leaving| leaving.as_mut().poll(cx)) {
            leaving = None;
            left = Some(engine);
        }
        polled
    })
    .await;
    drop(carrying);
    if left.is_none() {
        left = maybe(leaving.or_else(|| take().map(|engine| Box::pin(engine.leave()) as _))).await;
    }
    (reason, left)
}

async fn maybe<F: Future>(future: Option<F>) -> Option<F::Output> {
    match future {
        Some(future) => Some(future.await),
        None => None,
    }
}

impl<C> fmt::Debug for Admission<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
