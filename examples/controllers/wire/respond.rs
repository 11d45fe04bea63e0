//! The layer around all handlers: requests in, answers out.

use std::sync::Arc;

use futures_util::stream;
use narthex::middleware::from_fn::Next;
use narthex::{Client, Denied, DeniedKind, Emit, ErrorKind, Event, IntoReply, Json, Reply};
use serde::de::IgnoredAny;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::service::Websocket;
use crate::wire::{Message, Request, message::RESPONSE};

/// Reads the request, runs the handler, and answers with a [`Message`].
///
/// Who asked for an answer gets it as the ack; who did not gets the event `ws:response`, which asks for an ack itself. Who needs to
/// log in is let go after the answer, and confirms nothing.
pub(crate) async fn respond(websocket: Websocket, mut event: Event, next: Next) -> Reply {
    let Some(client) = event.client().cloned() else { return next.run(event).await };
    let asked = event.message().ack().is_some();
    let read = match event.unreadable() {
        Some(_) => Ok(None),
        None => Request::read(event.message().payload()).map(Some),
    };
    let reply = match read {
        Ok(Some(request)) => {
            event.extensions_mut().insert(request);
            next.run(event).await
        }
        Ok(None) => next.run(event).await,
        Err(denied) => Reply::error(denied),
    };
    let told = Told { websocket, client, asked };
    match (reply.denied().is_some(), reply.payload().is_some()) {
        (true, _) => reply.map_errors(move |denied| told.failure(&denied)),
        (_, true) => {
            reply.map_values(move |data| told.tell(Message::answer(&told.client, Some(&data)), false))
        }
        // Nothing, or events.
        _ => {
            let done = told.tell(Message::answer(&told.client, None), false);
            Reply::many(vec![reply, done])
        }
    }
}

/// Who is told, and how.
#[derive(Clone)]
struct Told {
    websocket: Websocket,
    client: Client,
    asked: bool,
}

impl Told {
    fn failure(&self, denied: &Denied) -> Reply {
        if denied.claim_log() {
            tracing::error!(error = ?denied, "a handler failed");
        }
        let message = Message::failure(&self.client, denied);
        self.tell(message, denied.kind() == DeniedKind::Unauthorized)
    }

    fn tell(&self, message: Message, then_close: bool) -> Reply {
        if self.asked {
            if then_close {
                close(&self.client);
            }
            return Json(message).into_reply();
        }
        let Some(place) = Unconfirmed::place(&self.client).filter(|_| !then_close) else {
            if then_close {
                close(&self.client);
            }
            return Emit::new(RESPONSE, &message).into_reply();
        };
        // A stream runs beside the client's later messages: none waits until it has confirmed this one.
        let Self { websocket, client, .. } = self.clone();
        Reply::stream(stream::once(async move {
            let _place = place;
            let confirmed = client.emit_with_ack::<IgnoredAny>(RESPONSE, &message, websocket.timeout()).await;
            match confirmed.map_err(|error| error.kind()) {
                // It has not been sent: the client, or the server for it, waits for too much already, or its door has no acks.
                Err(ErrorKind::Limit | ErrorKind::Unsupported) => Emit::new(RESPONSE, &message).into_reply(),
                Err(kind) => {
                    tracing::debug!(client = %client.id(), ?kind, "an answer was not confirmed");
                    Reply::none()
                }
                Ok(_) => Reply::none(),
            }
        }))
    }
}

fn close(client: &Client) {
    client.disconnect_connection(1008, "You need to be logged in");
}

/// How many answers of one client may wait for their confirmation; further ones do not ask for it.
const MAX_UNCONFIRMED: usize = 32;

/// On a client: the answers that it has not confirmed.
#[derive(Clone)]
pub(crate) struct Unconfirmed(Arc<Semaphore>);

impl Unconfirmed {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_UNCONFIRMED)))
    }

    fn place(client: &Client) -> Option<OwnedSemaphorePermit> {
        client.data::<Self>()?.0.try_acquire_owned().ok()
    }
}
