//! What all hubs of a server share.

use std::sync::Arc;

use crate::{client::Expiries, limits::Limits, observer::Observers, stats::Counters};

/// What all hubs of a server share. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) observers: Observers,
    pub(crate) expiries: Arc<Expiries>,
}
