//! The shared listener.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use narthex_core::{Error, ErrorKind, Options, Result};
use tokio::{net::TcpListener, sync::OnceCell};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accept::Acceptor,
    config::HttpConfig,
    mount::Mount,
    permits::{HttpStats, Permits},
    service::HttpService,
    setup::{Mounts, Setup},
};

/// The HTTP listener that the adapters of one server share at one of its addresses.
///
/// An adapter takes it from the options, mounts its paths and opens it:
///
/// ```
/// use http::Response;
/// use narthex_core::{Options, Result};
/// use narthex_http::{Claim, Http, Mount, full};
///
/// async fn create(options: &Options) -> Result<()> {
///     let http = options.resource_or_insert_with(Http::new);
///     http.mount("/health", Mount::new(Claim::All, |_| async { Response::new(full("well")) }))?;
///     http.open(options).await?;
///     Ok(())
/// }
/// ```
///
/// The first `open` binds; it accepts connections once all adapters are bound, so every mount is in place by then.
///
/// A server with several addresses has a listener for each. What [`HttpExt`](crate::HttpExt) sets and what is counted is
/// the server's, and the listener of its main address has it for all.
#[derive(Debug, Default)]
pub struct Http {
    mounts: Mutex<Mounts>,
    setup: Mutex<Setup>,
    permits: Arc<Permits>,
    bound: OnceCell<Option<SocketAddr>>,
    end: OnceLock<End>,
}

/// How the server tells that it ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) draining: CancellationToken,
    pub(crate) killed: CancellationToken,
    pub(crate) tracker: TaskTracker,
}

impl Http {
    /// A listener that nothing is mounted on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a mount on a path pattern: `/chat`, `/game/{id}`, `/files/{*rest}`. A path is matched whole.
    ///
    /// # Errors
    ///
    /// Kind `Config`: another mount claims the same requests of the path, the pattern is malformed or shadows another,
    /// or the server serves already.
    pub fn mount(&self, pattern: &str, mount: Mount) -> Result<()> {
        self.mounts().insert(pattern, mount)
    }

    /// Binds the address of these options, unless another adapter did, and says which address it is: none where the
    /// connections are another HTTP server's ([`HttpExt::into_service`](crate::HttpExt::into_service)).
    ///
    /// # Errors
    ///
    /// Kind `Bind`: the address cannot be bound. Kind `Config`: the server has no address.
    pub async fn open(self: &Arc<Self>, options: &Options) -> Result<Option<SocketAddr>> {
        self.bound.get_or_try_init(|| self.bind(options)).await.copied()
    }

    /// What was counted at all addresses of the server, where this is the listener of the main one; of another, zeros.
    pub fn stats(&self) -> HttpStats {
        self.permits.stats()
    }

    async fn bind(self: &Arc<Self>, options: &Options) -> Result<Option<SocketAddr>> {
        let (draining, killed, tracker) = (options.draining(), options.killed(), options.tracker());
        let end = End { draining, killed, tracker };
        if self.setup().is_detached() {
            // A second door finds it there.
            self.end.get_or_init(|| end);
            return Ok(None);
        }
        let no_address = || Error::new(ErrorKind::Config, "the HTTP listener needs an address to bind");
        let addr = options.addr().ok_or_else(no_address)?;
        let cannot_bind = |error: std::io::Error| {
            Error::new(ErrorKind::Bind, format!("cannot bind {addr}")).with_source(error)
        };
        let listener = TcpListener::bind(addr).await.map_err(cannot_bind)?;
        let local = listener.local_addr().map_err(cannot_bind)?;
        options.set_local_addr(local);

        let http = Arc::clone(self);
        let main = options.main_resource::<Self>().unwrap_or_else(|| Arc::clone(self));
        let is_main = options.is_main();
        options.on_serve(async move {
            let table = http.mounts().freeze();
            let (service, config) = main.setup().service(table, is_main);
            let (security, permits) = (main.setup().security(), Arc::clone(&main.permits));
            Acceptor { listener, service, config, security, permits, end }.run().await;
        });
        Ok(Some(local))
    }

    /// The service for another server's connections; `None` where no adapter has opened the listener.
    pub(crate) fn detached(&self) -> Option<Detached> {
        let end = self.end.get()?.clone();
        let table = self.mounts().freeze();
        let (service, config) = self.setup().service(table, true);
        Some(Detached { service, config, permits: Arc::clone(&self.permits), end })
    }

    fn mounts(&self) -> MutexGuard<'_, Mounts> {
        self.mounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn setup(&self) -> MutexGuard<'_, Setup> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What answers requests where another server listens.
pub(crate) struct Detached {
    pub(crate) service: HttpService,
    pub(crate) config: Arc<HttpConfig>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) end: End,
}
