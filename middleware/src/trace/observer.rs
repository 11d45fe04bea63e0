//! Who came, left and was refused.

use narthex_core::{Client, CloseReason, Observer, Refused};
use tracing::{debug, field};

use super::{ConnectionSpan, TARGET, TraceLayer};

impl Observer for TraceLayer {
    fn connected(&self, client: &Client) {
        let span = ConnectionSpan::of(client);
        let (adapter, id) = (client.adapter(), field::display(client.id()));
        debug!(target: TARGET, parent: span.id(), adapter, client = id, "connected");
    }

    fn disconnected(&self, client: &Client, reason: &CloseReason) {
        let span = ConnectionSpan::of(client);
        let (adapter, id) = (client.adapter(), field::display(client.id()));
        let code = reason.code();
        debug!(target: TARGET, parent: span.id(), adapter, client = id, code, ?reason, "disconnected");
    }

    fn refused(&self, refused: &Refused<'_>) {
        let Refused { adapter, namespace, status, .. } = *refused;
        debug!(target: TARGET, adapter, namespace, status = status.as_u16(), "refused");
    }
}
