//! Sessions on polling.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use narthex_http::{HttpBody, collect, empty, full};

use super::{
    Front,
    compact::compact,
    names::{rename_all, rename_open},
    payload::Packets,
    refusal::{too_many, unavailable, unknown_session},
};
use crate::{
    connection::Connection,
    io::{CONNECT, part_query},
    protocol::Protocol,
};

/// How much later a request may come than one that was sent after it, on another connection.
const MOMENT: Duration = Duration::from_millis(30);

impl Front {
    /// Begins a session on polling.
    pub(super) async fn begin(
        self: &Arc<Self>,
        mut request: Request<HttpBody>,
        protocol: Protocol,
    ) -> Response<HttpBody> {
        let Ok(connection) = self.connection(protocol) else { return unavailable() };
        request.extensions_mut().insert(Arc::clone(&connection));
        let (mut parts, body) = request.into_parts();
        compact(&mut parts);
        let response = self.ask(Request::from_parts(parts, body)).await;
        if response.status() != StatusCode::OK {
            return response.map(full);
        }
        let (mut head, packet) = response.into_parts();
        let renamed = rename_open(&packet, &connection);
        self.watch(&connection);
        // The engine's early ping is answered here.
        let early = async {
            if !protocol.has_early_ping() {
                return;
            }
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
        let body = rename_all(&body, &connection);
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
        let body = self.prepare(body, connection.protocol());
        if body == connection.protocol().close() {
            // It releases the poll that the peer has sent before, which may come later on the other connection.
            let _ = tokio::time::timeout(MOMENT, connection.polled()).await;
        }
        self.ask(Request::from_parts(parts, full(body))).await.map(full)
    }

    /// Looks for CONNECT packets before the engine sees them.
    fn prepare(&self, body: Bytes, protocol: Protocol) -> Bytes {
        let announce = self.announce.get();
        if announce.is_none() && protocol != Protocol::V3 {
            return body;
        }
        let connects = Packets::of(protocol, &body).filter(|packet| packet.text.starts_with(CONNECT));
        let places: Vec<_> = connects.map(|packet| packet.at..packet.at + packet.text.len()).collect();
        if places.is_empty() {
            return body;
        }
        let mut body = BytesMut::from(body);
        for place in places {
            if protocol == Protocol::V3 {
                part_query(&mut body[place.clone()]);
            }
            if let Some(announce) = announce {
                announce(&body[place]);
            }
        }
        body.freeze()
    }

    /// What the engine has for a poll. A poll that comes while the session is being upgraded may have overtaken the end of
    /// the upgrade on the other connection, so it is given a moment before it is answered with nothing.
    async fn take(&self, request: Request<HttpBody>, connection: &Connection) -> Response<Bytes> {
        const TURNS: u32 = 6;
        let _polling = connection.begin_poll();
        let (parts, _) = request.into_parts();
        let mut turns = if connection.is_upgrading() { TURNS } else { 0 };
        loop {
            let response = self.ask(Request::from_parts(parts.clone(), empty())).await;
            if turns == 0 || response.body() != connection.protocol().nothing() {
                return response;
            }
            turns -= 1;
            tokio::time::sleep(MOMENT / TURNS).await;
        }
    }
}
