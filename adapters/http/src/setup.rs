//! What is put together before the listener serves.

use std::{fmt, sync::Arc};

use narthex_core::{Error, ErrorKind, Result};

use crate::{config::HttpConfig, dispatch::Dispatch, mount::Mount, service::HttpService, table::Table};

type Wrap = Box<dyn FnOnce(HttpService) -> HttpService + Send>;

/// The parts of the listener's service. It is taken apart when the server serves.
#[derive(Default)]
pub(crate) struct Setup {
    table: Table,
    user: Option<HttpService>,
    layers: Vec<Wrap>,
    config: HttpConfig,
    frozen: bool,
}

impl Setup {
    pub(crate) fn mount(&mut self, pattern: &str, mount: Mount) -> Result<()> {
        if self.frozen {
            let context = format!("{pattern:?} was mounted after the server had begun to serve");
            return Err(Error::new(ErrorKind::Config, context));
        }
        self.table.insert(pattern, mount)
    }

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

    /// The finished service; nothing can be mounted from now on.
    pub(crate) fn freeze(&mut self) -> (HttpService, Arc<HttpConfig>) {
        self.frozen = true;
        let config = Arc::new(self.config.clone());
        let table = Arc::new(std::mem::take(&mut self.table));
        let dispatch = Dispatch { table, user: self.user.take(), config: Arc::clone(&config) };
        let layers = self.layers.drain(..);
        (layers.rev().fold(dispatch.into_service(), |service, wrap| wrap(service)), config)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("table", &self.table)
            .field("user", &self.user.is_some())
            .field("layers", &self.layers.len())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
