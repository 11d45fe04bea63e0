//! The shared listener.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use narthex_core::{Error, ErrorKind, Options, Result};
use tokio::{net::TcpListener, sync::OnceCell};

use crate::{
    accept::Acceptor,
    mount::Mount,
    permits::{HttpStats, Permits},
    setup::Setup,
};

/// The HTTP listener that the adapters of one server share.
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
#[derive(Debug, Default)]
pub struct Http {
    setup: Mutex<Setup>,
    permits: Arc<Permits>,
    bound: OnceCell<SocketAddr>,
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
        self.setup().mount(pattern, mount)
    }

    /// Binds the server's address, unless another adapter did, and says which address it is.
    ///
    /// # Errors
    ///
    /// Kind `Bind`: the address cannot be bound. Kind `Config`: the server has no address.
    pub async fn open(self: &Arc<Self>, options: &Options) -> Result<SocketAddr> {
        self.bound.get_or_try_init(|| self.bind(options)).await.copied()
    }

    /// What the listener counted.
    pub fn stats(&self) -> HttpStats {
        self.permits.stats()
    }

    async fn bind(self: &Arc<Self>, options: &Options) -> Result<SocketAddr> {
        let no_address = || Error::new(ErrorKind::Config, "the HTTP listener needs an address to bind");
        let addr = options.addr().ok_or_else(no_address)?;
        let cannot_bind = |error: std::io::Error| {
            Error::new(ErrorKind::Bind, format!("cannot bind {addr}")).with_source(error)
        };
        let listener = TcpListener::bind(addr).await.map_err(cannot_bind)?;
        let local = listener.local_addr().map_err(cannot_bind)?;
        options.set_local_addr(local);

        let http = Arc::clone(self);
        let (draining, killed, tracker) = (options.draining(), options.killed(), options.tracker());
        options.on_serve(async move {
            let (service, config) = http.setup().freeze();
            let permits = Arc::clone(&http.permits);
            Acceptor { listener, service, config, permits, draining, killed, tracker }.run().await;
        });
        Ok(local)
    }

    pub(crate) fn setup(&self) -> MutexGuard<'_, Setup> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
