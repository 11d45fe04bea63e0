//! The layer around all handlers: requests in, answers out.

use std::future::Future;

use futures_util::{FutureExt, stream};
use narthex::middleware::from_fn::Next;
use narthex::{Client, Denied, DeniedKind, Event, IntoReply, Json, Reply};
use serde::de::IgnoredAny;

use crate::service::Websocket;
use crate::wire::{Message, Request};

/// Reads the request, runs the handler, and answers with a [`Message`].
///
/// Who asked for an answer gets it as the ack; who did not gets the event `ws:response`, which asks for an ack itself. Who needs to
/// log in is let go after the answer.
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
        // A stream runs beside the client's later messages: none waits until it has confirmed this one.
        let Self { websocket, client, .. } = self.clone();
        Reply::stream(stream::once(async move {
            let asked = client.emit_with_ack::<IgnoredAny>(&message.event, &message, websocket.timeout());
            confirmed(&client, asked, then_close).await;
            Reply::none()
        }))
    }
}

/// Awaits a client's confirmation, or closes as soon as the question is on its way.
async fn confirmed(
    client: &Client,
    asked: impl Future<Output = narthex::Result<IgnoredAny>>,
    then_close: bool,
) {
    let mut asked = std::pin::pin!(asked);
    let now = asked.as_mut().now_or_never();
    if then_close {
        return close(client);
    }
    let answer = match now {
        Some(answer) => answer,
        None => asked.await,
    };
    if let Err(error) = answer {
        tracing::debug!(client = %client.id(), %error, "an answer was not confirmed");
    }
}

fn close(client: &Client) {
    client.disconnect_connection(1008, "You need to be logged in");
}
