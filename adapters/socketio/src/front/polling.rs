//! Sessions on polling.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use narthex_http::{HttpBody, collect, empty, full};

use super::{
    Front,
    names::{rename, rename_all},
    refusal::{too_many, unavailable, unknown_session},
};
use crate::{connection::Connection, io::CONNECT};

/// What separates packets in the body of a poll.
pub(super) const SEPARATOR: u8 = 0x1e;

/// The engine's close packet.
const CLOSE: &[u8] = b"1";

/// How much later a request may come than one that was sent after it, on another connection.
const MOMENT: Duration = Duration::from_millis(30);

impl Front {
    /// Begins a session on polling.
    pub(super) async fn begin(&self, mut request: Request<HttpBody>) -> Response<HttpBody> {
        let Ok(connection) = self.connection() else { return unavailable() };
        request.extensions_mut().insert(Arc::clone(&connection));
        let response = self.ask(request).await;
        if response.status() != StatusCode::OK {
            return response.map(full);
        }
        let (mut head, packet) = response.into_parts();
        let renamed = rename(&packet, &connection).map_or(packet, Bytes::from);
        // The engine pings at once. The peer expects its first ping after the interval, so it is answered here.
        let early = async {
            self.ask_as(&connection, Method::GET, "").await;
            self.ask_as(&connection, Method::POST, "3").await;
        };
        if tokio::time::timeout(self.settings.ping_timeout, early).await.is_err() {
            connection.kill(None);
            return unavailable();
        }
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(renamed.len()));
        Response::from_parts(head, full(renamed))
    }

    /// One request of a session on polling.
    pub(super) async fn poll(
        &self,
        request: Request<HttpBody>,
        connection: Arc<Connection>,
    ) -> Response<HttpBody> {
        let Some(request) = self.within(request, &connection) else { return unknown_session() };
        if request.method() == Method::POST {
            return self.post(request, &connection).await;
        }
        let (mut head, body) = self.take(request, &connection).await.into_parts();
        if head.status != StatusCode::OK {
            return Response::from_parts(head, full(body));
        }
        let body = rename_all(body, &connection);
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        Response::from_parts(head, full(body))
    }

    /// A peer's packets.
    async fn post(&self, request: Request<HttpBody>, connection: &Connection) -> Response<HttpBody> {
        // The engine would read on and on; the peer waits for its answer instead.
        let patience = self.settings.ping_interval + self.settings.ping_timeout;
        if tokio::time::timeout(patience, connection.readable()).await.is_err() {
            return too_many();
        }
        let (parts, body) = request.into_parts();
        let body = match collect(body).await {
            Ok(body) => body,
            Err(error) => return error.response(),
        };
        if let Some(announce) = self.announce.get() {
            body.split(|byte| *byte == SEPARATOR)
                .filter(|p| p.starts_with(CONNECT))
                .for_each(|p| announce(p));
        }
        if body == CLOSE {
            // It releases the poll that the peer has sent before, which may come later on the other connection.
            let _ = tokio::time::timeout(MOMENT, connection.polled()).await;
        }
        self.ask(Request::from_parts(parts, full(body))).await.map(full)
    }

    /// What the engine has for a poll. A poll that comes while the session is being upgraded may have overtaken the end of
    /// the upgrade on the other connection, so it is given a moment before it is answered with nothing.
    async fn take(&self, request: Request<HttpBody>, connection: &Connection) -> Response<Bytes> {
        const NOTHING: &[u8] = b"6";
        const TURNS: u32 = 6;
        let _polling = connection.begin_poll();
        let (parts, _) = request.into_parts();
        let mut turns = if connection.is_upgrading() { TURNS } else { 0 };
        loop {
            let response = self.ask(Request::from_parts(parts.clone(), empty())).await;
            if turns == 0 || response.body() != NOTHING {
                return response;
            }
            turns -= 1;
            tokio::time::sleep(MOMENT / TURNS).await;
        }
    }
}
