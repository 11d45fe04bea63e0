//! What goes along with a request of another HTTP server's connection.

use std::sync::Arc;

use crate::{
    permits::{ConnectionPermit, Permits},
    phase::Phase,
};

/// Tells the upgrade of a foreign connection whether the request was answered with 101, and where it counts.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    permits: Arc<Permits>,
    phase: Arc<Phase>,
}

impl Foreign {
    pub(crate) fn new(permits: Arc<Permits>) -> Self {
        Self { permits, phase: Arc::default() }
    }

    /// The request was answered with 101.
    pub(crate) fn switch(&self) {
        self.phase.switch();
    }

    /// A place for the connection; `None` when nothing but HTTP was agreed on.
    pub(crate) fn into_switched(self) -> Option<ConnectionPermit> {
        self.phase.has_switched().then(|| self.permits.unbounded())
    }
}
