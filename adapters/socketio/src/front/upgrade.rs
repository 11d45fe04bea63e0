//! Sessions on a WebSocket.

use std::sync::Arc;

use http::{Method, Request, Response};
use narthex_http::{HttpBody, Upgrading, empty, upgrade};

use super::{
    Front,
    compact::compact,
    refusal::{bad_request, unavailable, unknown_session},
};
use crate::{
    connection::Connection,
    io::{EngineIo, Lent, linger},
    protocol::Protocol,
    websocket::switching,
};

impl Front {
    /// Takes a WebSocket: it begins a session, or a session on polling goes on with it.
    pub(super) fn websocket(
        self: &Arc<Self>,
        mut request: Request<HttpBody>,
        protocol: Protocol,
        session: Option<Arc<Connection>>,
    ) -> Response<HttpBody> {
        let upgrading = upgrade(&mut request);
        let (mut parts, _) = request.into_parts();
        compact(&mut parts);
        let mut request = Request::from_parts(parts, ());
        let Some(switching) = switching(&request) else { return bad_request() };
        let opening = session.is_none();
        let connection = match session {
            Some(connection) => {
                let Some(within) = self.within(request, &connection) else { return unknown_session() };
                request = within;
                connection.set_upgrading();
                connection
            }
            None => {
                let Ok(connection) = self.connection(protocol) else { return unavailable() };
                request.extensions_mut().insert(Arc::clone(&connection));
                self.watch(&connection);
                connection
            }
        };
        self.tracker.spawn(Arc::clone(self).carry(upgrading, request, connection, opening));
        switching.map(|()| empty())
    }

    /// Gives a WebSocket to the engine once its 101 has left, and waits for its end.
    async fn carry(
        self: Arc<Self>,
        upgrading: Upgrading,
        request: Request<()>,
        connection: Arc<Connection>,
        opening: bool,
    ) {
        let (Ok(io), Some(engine)) = (upgrading.await, self.engine.get()) else { return };
        let (stream, leftover, permit) = io.into_parts();
        let (lent, given_back) = Lent::new(stream);
        let deadline = self.settings.write_deadline;
        let announce = self.announce.get().cloned();
        let io = EngineIo::new((lent, leftover), Arc::clone(&connection), opening, deadline, announce);
        let weak = Arc::downgrade(&connection);
        drop(connection);
        if engine.carry(io, request)
            && let Ok(stream) = given_back.await
        {
            // Boxed, as what follows: few sessions are at their end at any time.
            Box::pin(linger(stream)).await;
        }
        drop(permit);
        if !opening && let Some(connection) = weak.upgrade() {
            // The engine keeps a session waiting whose upgrade has failed.
            Box::pin(self.ask_as(&connection, Method::POST, connection.protocol().close())).await;
        }
    }
}
