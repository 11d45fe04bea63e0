//! What is put together before the listener serves.

use std::{fmt, sync::Arc};

use narthex_core::{Error, ErrorKind, Result};

use crate::{
    config::HttpConfig, dispatch::Dispatch, mount::Mount, security::Security, service::HttpService,
    table::Table,
};

type Wrap = Box<dyn Fn(HttpService) -> HttpService + Send>;

/// The mounts of one address. They are taken away when the server serves.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    table: Table,
    frozen: bool,
}

impl Mounts {
    pub(crate) fn insert(&mut self, pattern: &str, mount: Mount) -> Result<()> {
        if self.frozen {
            let context = format!("{pattern:?} was mounted after the server had begun to serve");
            return Err(Error::new(ErrorKind::Config, context));
        }
        self.table.insert(pattern, mount)
    }

    /// The finished table; nothing can be mounted from now on.
    pub(crate) fn freeze(&mut self) -> Arc<Table> {
        self.frozen = true;
        Arc::new(std::mem::take(&mut self.table))
    }
}

/// What a user has said about HTTP. It holds for every address of the server.
#[derive(Default)]
pub(crate) struct Setup {
    user: Option<HttpService>,
    layers: Vec<Wrap>,
    config: HttpConfig,
    security: Security,
    detached: bool,
}

impl Setup {
    /// Sets the user's service and says whether it is the first.
    pub(crate) fn set_user(&mut self, service: HttpService) -> bool {
        self.user.replace(service).is_none()
    }

    pub(crate) fn push_layer(&mut self, wrap: Wrap) {
        self.layers.push(wrap);
    }

    pub(crate) fn set_config(&mut self, config: HttpConfig) {
        self.config = config;
    }

    #[cfg(feature = "tls")]
    pub(crate) fn set_tls(&mut self, config: crate::tls::TlsConfig) {
        self.security.tls = Some(config);
    }

    /// Another server listens at the main address.
    pub(crate) fn detach(&mut self) {
        self.detached = true;
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.detached
    }

    pub(crate) fn security(&self) -> Security {
        self.security.clone()
    }

    /// The service of one address. The user's own is only behind the mounts of the server's.
    pub(crate) fn service(&self, table: Arc<Table>, is_main: bool) -> (HttpService, Arc<HttpConfig>) {
        let config = Arc::new(self.config.clone());
        let user = self.user.clone().filter(|_| is_main);
        let dispatch = Dispatch { table, user, config: Arc::clone(&config) };
        let layers = self.layers.iter().rev();
        (layers.fold(dispatch.into_service(), |service, wrap| wrap(service)), config)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("user", &self.user.is_some())
            .field("layers", &self.layers.len())
            .field("config", &self.config)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}
