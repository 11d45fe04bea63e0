//! The ack, for handlers that answer by themselves.

use std::{convert::Infallible, sync::Arc};

use serde::Serialize;

use super::{Event, FromEvent, Needs};
use crate::{
    client::Client,
    error::{ErrorKind, Result},
    message::{AckId, Outgoing, Payload},
    reply::{AckState, Denied, DeniedKind},
};

/// The right to answer the message, taken by the handler.
///
/// It is for handlers and guards, which say that they take it; a layer that takes it off an event is not known to, so let
/// it answer by its reply.
///
/// A handler that takes it answers by itself: the bare value that it returns is ignored. Dropped without an
/// answer, it answers with an error, so that the client does not wait for ever.
#[derive(Debug)]
pub struct Ack {
    request: Option<(Client, AckId, Arc<AckState>)>,
}

impl Ack {
    /// Whether the client asked for an answer.
    pub fn is_requested(&self) -> bool {
        self.request.is_some()
    }

    /// Answers. Where the client asked for none, this does nothing.
    ///
    /// # Errors
    /// `Encode` when `data` cannot be written as JSON, and those of [`Client::emit`].
    pub fn send<T: Serialize + ?Sized>(self, data: &T) -> Result<()> {
        self.send_payload(&Payload::json(data)?)
    }

    /// Answers with a payload as it is.
    ///
    /// # Errors
    /// Those of [`Client::emit`].
    pub fn send_payload(mut self, payload: &Payload) -> Result<()> {
        match self.request.take() {
            Some((client, id, sent)) if sent.claim() => {
                let answered = client.send(Outgoing::Ack { id, payload });
                if let Err(error) = &answered
                    && matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Encode)
                {
                    // The client waits all the same.
                    let denied =
                        Denied::new(DeniedKind::Unsupported, "The answer has no form here").payload();
                    drop(client.send(Outgoing::AckError { id, error: &denied }));
                }
                answered
            }
            _ => Ok(()),
        }
    }

    /// Answers with a failure.
    ///
    /// # Errors
    /// Those of [`Client::emit`].
    pub fn refuse(mut self, denied: impl Into<Denied>) -> Result<()> {
        let denied = denied.into();
        match self.request.take() {
            Some((client, id, sent)) if sent.claim() => {
                client.send(Outgoing::AckError { id, error: &denied.payload() })
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        let Some((client, id, state)) = self.request.take() else { return };
        if state.abandon() {
            let error = Denied::internal("the handler dropped its ack without an answer").payload();
            // A client that is gone needs no answer, and nothing else can fail here.
            drop(client.send(Outgoing::AckError { id, error: &error }));
        }
    }
}

impl FromEvent for Ack {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> std::result::Result<Self, Infallible> {
        let request = match (event.client().cloned(), event.message.ack()) {
            (Some(client), Some(id)) => {
                let shared = &event.shared_ack;
                let sent = event.manual.get_or_insert_with(|| shared.clone().unwrap_or_default());
                Some((client, id, Arc::clone(sent)))
            }
            _ => None,
        };
        Ok(Self { request })
    }

    fn needs(needs: &mut Needs) {
        needs.ack();
    }
}
