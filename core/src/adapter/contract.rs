//! The contract.

use std::{fmt, future::Future, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Connect, Options, Session, Shared};
use crate::{
    client::CloseReason,
    error::{Error, ErrorKind, Result},
};

/// What a door can do. What a client can do is this and what its envelope can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// What the adapter is called in metrics and traces.
    pub name: &'static str,
    /// Carries binary frames.
    pub binary: bool,
    /// Can refuse a client with an HTTP answer before it is open.
    pub refuses_over_http: bool,
    /// Tells the peer why it was closed, with a close code.
    pub close_codes: bool,
    /// The door has its own framing: broadcasts are framed once.
    pub framing: bool,
    /// The door does not open at the server's addresses but at one of its own: it is opened once, for all namespaces.
    pub own_address: bool,
}

impl Default for Capability {
    /// An adapter called `"custom"` that can do nothing of all this.
    fn default() -> Self {
        Self {
            name: "custom",
            binary: false,
            refuses_over_http: false,
            close_codes: false,
            framing: false,
            own_address: false,
        }
    }
}

impl Capability {
    /// What the adapter is called in metrics and traces.
    #[must_use]
    pub fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Whether it carries binary frames.
    #[must_use]
    pub fn with_binary(mut self, binary: bool) -> Self {
        self.binary = binary;
        self
    }

    /// Whether it can refuse a client with an HTTP answer.
    #[must_use]
    pub fn with_refuses_over_http(mut self, refuses: bool) -> Self {
        self.refuses_over_http = refuses;
        self
    }

    /// Whether it tells the peer why it was closed.
    #[must_use]
    pub fn with_close_codes(mut self, codes: bool) -> Self {
        self.close_codes = codes;
        self
    }

    /// Whether it has its own framing.
    #[must_use]
    pub fn with_framing(mut self, framing: bool) -> Self {
        self.framing = framing;
        self
    }

    /// Whether it opens at an address of its own, and not at the server's.
    #[must_use]
    pub fn with_own_address(mut self, own: bool) -> Self {
        self.own_address = own;
        self
    }
}

/// A transport.
///
/// Three methods, called in this order: [`create`](Self::create) once for each address of the server,
/// [`bind_client_connect`](Self::bind_client_connect) once for each of them,
/// [`bind_message_handlers`](Self::bind_message_handlers) once for each client. A server has one address, unless its user
/// names more; an adapter with [`Capability::own_address`] is opened once. Authors write plain `async fn`s.
/// The suite in `narthex-conformance` checks each sentence below on any adapter.
///
/// # The contract
///
/// Opening:
/// 1. `create` MUST bind what the adapter listens on at [`Options::addr`], or mount it on a shared server, and fail with
///    an error that names the address where that is impossible. Namespaces that [`Options::namespaces`] does not
///    name are not at this address; [`Connect`] does not find them.
/// 2. `create` MUST report the address that it listens on with [`Options::set_local_addr`], where it binds one.
/// 3. No client MUST be accepted before `create` has returned.
///
/// Clients:
///
/// 4. Each arriving client MUST be announced with a handshake before it is open: [`Connect::handshake`] and
///    [`Admission::open`](super::Admission::open), or [`Connect::admit`]. A door without HTTP makes an empty request.
/// 5. A refused client MUST be told why, by the HTTP answer that the refusal is, or in the way that the door has;
///    it MUST NOT be cut off without a word where the door can say one.
/// 6. The accept loop MUST NOT await a handshake: each client runs in [`Connect::spawn`]. Nothing MUST be spawned
///    elsewhere.
/// 7. `bind_client_connect` MUST return when [`Connect::draining`] is done, and MUST accept nobody after that.
///
/// Messages:
///
/// 8. Frames MUST reach the session in the order in which the peer sent them, whole, once.
/// 9. What the session gives MUST be written in that order, whole, once.
/// 10. Text given to the session MUST be UTF-8.
/// 11. The adapter MUST NOT read ahead without bound while the session does not accept input.
/// 12. The adapter SHOULD hand over all frames that one read brought, and write all frames that are ready in one
///     write.
/// 13. A peer that takes no bytes MUST be let go after a bounded time.
///
/// The end:
///
/// 14. `bind_message_handlers` MUST return when the peer has left, and say why.
/// 15. When the session ends, the adapter MUST write what was given to it before, tell the peer the reason where
///     the door can (the close code of [`CloseReason::code`]), and return that reason within a bounded time.
/// 16. A frame that breaks the door's protocol MUST end that client alone, with the reason.
/// 17. No input of a peer MUST make the adapter panic.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an adapter",
    note = "implement `create`, `bind_client_connect` and `bind_message_handlers`"
)]
pub trait WebSocketAdapter: Send + Sync + 'static {
    /// What listens: a listener, or the place on a shared server.
    type Server: Send + 'static;
    /// One peer's connection.
    type Client: Send + 'static;

    /// What the door can do.
    fn capability(&self) -> Capability {
        Capability::default()
    }

    /// Opens the door: binds a listener, or mounts on a shared server.
    fn create(&self, options: &Options) -> impl Future<Output = Result<Self::Server>> + Send;

    /// Announces each arriving client until the server drains.
    fn bind_client_connect(
        &self,
        server: Self::Server,
        connect: Connect<Self::Client>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Carries one client's messages both ways until it leaves, and says why it left.
    fn bind_message_handlers(
        &self,
        client: Self::Client,
        session: Session,
    ) -> impl Future<Output = CloseReason> + Send;
}

/// The future that accepts clients.
pub(crate) type Accepting = BoxFuture<'static, Result<()>>;

/// The object-safe twin of [`WebSocketAdapter`].
pub(crate) trait ErasedAdapter: Send + Sync {
    /// What the door can do.
    fn capability(&self) -> Capability;

    /// Opens the door and gives the future that accepts clients.
    fn bind<'a>(&'a self, options: &'a Options, shared: Arc<Shared>) -> BoxFuture<'a, Result<Accepting>>;
}

struct Erased<A>(Arc<A>);

/// Names the address in an error that an author passed on as it came from the system.
fn named(error: Error, options: &Options) -> Error {
    match options.addr() {
        Some(addr) if error.kind() == ErrorKind::Io => {
            Error::new(ErrorKind::Bind, format!("cannot open a door at {addr}")).with_source(error)
        }
        _ => error,
    }
}

impl<A: WebSocketAdapter> ErasedAdapter for Erased<A> {
    fn capability(&self) -> Capability {
        self.0.capability()
    }

    fn bind<'a>(&'a self, options: &'a Options, shared: Arc<Shared>) -> BoxFuture<'a, Result<Accepting>> {
        Box::pin(async move {
            let server = self.0.create(options).await.map_err(|error| named(error, options))?;
            let (adapter, carrier) = (Arc::clone(&self.0), Arc::clone(&self.0));
            let connect = Connect::new(
                shared,
                Arc::clone(options.visible()),
                Arc::new(move |client, session| {
                    let carrier = Arc::clone(&carrier);
                    async move { carrier.bind_message_handlers(client, session).await }.boxed()
                }),
                self.0.capability(),
            );
            let accepting: Accepting =
                Box::pin(async move { adapter.bind_client_connect(server, connect).await });
            Ok(accepting)
        })
    }
}

pub(crate) fn erase<A: WebSocketAdapter>(adapter: A) -> Box<dyn ErasedAdapter> {
    Box::new(Erased(Arc::new(adapter)))
}

/// Any adapter, its type forgotten: for lists of adapters.
pub struct Adapter(pub(crate) Box<dyn ErasedAdapter>);

impl Adapter {
    /// Forgets the adapter's type.
    pub fn new(adapter: impl WebSocketAdapter) -> Self {
        Self(erase(adapter))
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Adapter")
    }
}
