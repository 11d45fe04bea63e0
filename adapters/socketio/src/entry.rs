//! From a CONNECT packet to an open client.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use http::{Request, Response, Uri, request::Parts};
use narthex_core::{AuthPayload, CloseReason, RawJson};
use serde_json::value::RawValue;
use socketioxide::{
    handler::{ConnectHandler, DisconnectHandler, MessageHandler},
    socket::{DisconnectReason, Socket},
};
use socketioxide_core::Value;
use tokio::sync::oneshot;

use crate::{
    connection::Connection,
    door::Door,
    member::{Member, SocketIoClient},
    place::Relay,
    protocol::Protocol,
};

type Refusal = Box<dyn fmt::Display + Send>;
type Judged<'a> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>;

/// Judges each CONNECT of a namespace, and announces those that come in.
#[derive(Clone)]
pub(crate) struct Entry(pub(crate) Weak<Door>);

/// Marks our handlers among those of socketioxide.
pub(crate) enum Ours {}

impl ConnectHandler<Relay, Ours> for Entry {
    /// The peer has been told that it is connected.
    fn call(&self, socket: Arc<Socket<Relay>>, _: Option<Value>) {
        if let Some(member) = connection(&socket).and_then(|connection| connection.member(socket.ns())) {
            member.set_answered();
        }
    }

    /// Runs before the peer is answered: the handshake's stack, then `on_connect`.
    fn call_middleware<'a>(&'a self, socket: Arc<Socket<Relay>>, auth: &'a Option<Value>) -> Judged<'a> {
        Box::pin(async move {
            let judged = self.judge(&socket, auth.as_ref()).await;
            if judged.is_err() {
                self.close_drained(&socket);
            }
            judged.map_err(|text| Box::new(text) as Refusal)
        })
    }
}

/// The root where no gateway has it: clients of Engine.IO 3 pass through it on their way, and nobody is there.
#[derive(Clone)]
pub(crate) struct Lobby;

impl ConnectHandler<Relay, Ours> for Lobby {
    fn call(&self, _: Arc<Socket<Relay>>, _: Option<Value>) {}

    fn call_middleware<'a>(&'a self, socket: Arc<Socket<Relay>>, _: &'a Option<Value>) -> Judged<'a> {
        let passes = connection(&socket).is_some_and(|connection| connection.protocol() == Protocol::V3);
        let judged = if passes { Ok(()) } else { Err(Box::new("Invalid namespace") as Refusal) };
        Box::pin(std::future::ready(judged))
    }
}

fn connection(socket: &Socket<Relay>) -> Option<Arc<Connection>> {
    socket.req_parts().extensions.get::<Arc<Connection>>().cloned()
}

const FAILED: &str = "Internal server error";

impl Entry {
    /// Who is refused while the server drains has nothing left to wait for.
    fn close_drained(&self, socket: &Socket<Relay>) {
        if let (Some(door), Some(connection)) = (self.0.upgrade(), connection(socket))
            && door.front.is_draining()
            && connection.is_vacant()
        {
            door.front.close_soon(connection);
        }
    }

    async fn judge(&self, socket: &Arc<Socket<Relay>>, auth: Option<&Value>) -> Result<(), String> {
        let door = self.0.upgrade().ok_or(FAILED)?;
        let connection = connection(socket).ok_or(FAILED)?;
        connection.set_sid(socket.id);
        // A namespace that was freed in this moment; the next CONNECT finds it anew.
        let resident = door.places.enter(socket.ns()).ok_or("The namespace has just been closed")?;
        let request = request(socket, connection.protocol(), auth)?;
        let connect = door.connect.wait().await;
        let admission = connect.handshake(request).await.map_err(|refused| message(&refused))?;
        let member = Member::new(socket.id, Arc::clone(&connection), resident, &door);
        // In the middleware, so that no event comes before them.
        socket.on_fallback(OnEvent(Arc::clone(&member)));
        socket.on_disconnect(OnLeave(Arc::clone(&member)));
        connection.sit(socket.ns(), &member);
        let (verdict, judged) = oneshot::channel();
        let client = SocketIoClient { member: Arc::clone(&member), door: Arc::clone(&door), verdict };
        let life =
            admission.envelope(Arc::clone(&door.envelope)).connection(connection.shared.clone()).open(client);
        connect.spawn(async move {
            life.await;
        });
        let id = judged.await.unwrap_or_else(|_| Err(FAILED.to_owned()))?;
        connection.name(socket.ns(), id);
        Ok(())
    }
}

/// The request as the core judges it: the namespace's path with the real query, and everything that layers of the
/// listener put in.
fn request(socket: &Socket<Relay>, protocol: Protocol, auth: Option<&Value>) -> Result<Request<()>, String> {
    let mut parts: Parts = socket.req_parts().clone();
    parts.extensions.remove::<Arc<Connection>>();
    let mut path = encode_path(socket.ns());
    let auth = auth.and_then(Value::as_str);
    let own = auth.filter(|_| protocol == Protocol::V3).map(|query| query.trim_end_matches(','));
    let query = own.into_iter().chain(parts.uri.query()).map(without_engine);
    let query = query.filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        path.push('?');
        path.push_str(&query);
    }
    parts.uri = Uri::try_from(path).map_err(|_| "The namespace is not valid")?;
    if let Some(text) = auth.filter(|_| protocol == Protocol::V4) {
        let text = Bytes::from(text.clone());
        let raw: &RawValue =
            serde_json::from_slice(&text).map_err(|_| "The auth payload is not valid JSON")?;
        let auth = RawJson::borrowed(&text, raw);
        parts.extensions.insert(AuthPayload(auth));
    }
    Ok(Request::from_parts(parts, ()))
}

/// The query without what is the engine's and nobody else's.
fn without_engine(query: &str) -> String {
    const ENGINE: [&str; 3] = ["sid=", "EIO=", "transport="];
    let kept = query.split('&').filter(|pair| !ENGINE.iter().any(|name| pair.starts_with(name)));
    kept.collect::<Vec<_>>().join("&")
}

/// A namespace as the path of a URI (RFC 3986 section 3.3).
fn encode_path(namespace: &str) -> String {
    const KEPT: &[u8] = b"-._~!$&'()*+,;=:@/";
    let mut path = String::with_capacity(namespace.len() + 1);
    if !namespace.starts_with('/') {
        path.push('/');
    }
    for byte in namespace.bytes() {
        if byte.is_ascii_alphanumeric() || KEPT.contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// What the peer reads of a refusal: the message in its body, the body, or the status.
fn message(refused: &Response<Bytes>) -> String {
    #[derive(serde::Deserialize)]
    struct Body {
        message: String,
    }
    let body = refused.body();
    let text = || std::str::from_utf8(body).ok().filter(|text| !text.is_empty()).map(str::to_owned);
    let reason = || refused.status().canonical_reason().unwrap_or("Refused").to_owned();
    serde_json::from_slice::<Body>(body).map(|body| body.message).ok().or_else(text).unwrap_or_else(reason)
}

/// Takes the events of one socket, in order, as the engine reads them.
struct OnEvent(Arc<Member>);

impl MessageHandler<Relay, Ours> for OnEvent {
    fn call(&self, _: Arc<Socket<Relay>>, value: Value, ack: Option<i64>) {
        self.0.receive(value, ack);
    }
}

/// Hears of the end of one socket. Dropped with it, so that no end is missed.
struct OnLeave(Arc<Member>);

impl DisconnectHandler<Relay, Ours> for OnLeave {
    fn call_with_defer(
        &self,
        socket: Arc<Socket<Relay>>,
        reason: DisconnectReason,
        defer: fn(Arc<Socket<Relay>>),
    ) {
        self.0.set_end(close_reason(reason));
        defer(socket);
    }
}

impl Drop for OnLeave {
    fn drop(&mut self) {
        self.0.set_end(CloseReason::ClientGone);
    }
}

fn close_reason(reason: DisconnectReason) -> CloseReason {
    use DisconnectReason as R;
    let protocol = |text: &'static str| CloseReason::Protocol { code: 1002, text: text.into() };
    match reason {
        R::TransportClose | R::TransportError => CloseReason::ClientGone,
        R::MultipleHttpPollingError => protocol("two polling requests at once"),
        R::PacketParsingError => protocol("not a packet"),
        R::HeartbeatTimeout => CloseReason::IdleTimeout,
        R::ClientNSDisconnect => {
            CloseReason::ClientClosed { code: 1000, text: "client namespace disconnect".to_owned() }
        }
        R::ServerNSDisconnect => CloseReason::disconnected(1000, "server namespace disconnect"),
        R::ClosingServer => CloseReason::Draining,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_path_whatever_its_name() {
        assert_eq!(encode_path("/"), "/");
        assert_eq!(encode_path("/game/7"), "/game/7");
        assert_eq!(encode_path("/a b?c#d%é"), "/a%20b%3Fc%23d%25%C3%A9");
        assert_eq!(without_engine("EIO=4&sid=secret&token=a"), "token=a");
    }

    #[test]
    fn a_refusal_reads_as_its_message() {
        let refused = |status: u16, body: &'static str| {
            Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
        };
        assert_eq!(message(&refused(403, r#"{"status":"error","message":"Not yours"}"#)), "Not yours");
        assert_eq!(message(&refused(401, "no token")), "no token");
        assert_eq!(message(&refused(401, "")), "Unauthorized");
    }
}
