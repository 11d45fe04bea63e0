//! Sessions that nobody has entered a namespace with.

use std::sync::Arc;

use http::Method;

use super::Front;
use crate::{connection::Connection, protocol::Protocol};

impl Front {
    /// Ends a session that has no client when its time to connect is over. The engine itself does so in version 4.
    pub(super) fn watch(self: &Arc<Self>, connection: &Arc<Connection>) {
        if connection.protocol() != Protocol::V3 {
            return;
        }
        let (front, connection) = (Arc::clone(self), Arc::downgrade(connection));
        self.tracker.spawn(async move {
            tokio::select! {
                // Then all vacant sessions are closed.
                () = front.draining.cancelled() => return,
                () = tokio::time::sleep(front.settings.connect_timeout) => {}
            }
            if let Some(connection) = connection.upgrade()
                && connection.is_vacant()
            {
                connection.kill(None);
                front.ask_as(&connection, Method::POST, connection.protocol().close()).await;
            }
        });
    }
}
