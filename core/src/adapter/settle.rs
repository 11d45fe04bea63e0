//! From a reply to frames: who is answered, and how.

use std::{cell::RefCell, sync::Arc};

use crate::{
    client::Client,
    error::Error,
    message::{AckId, FrameKind, Outgoing, Outlet, Payload},
    observer::Sent,
    reply::{AckState, Denied, Emit, Reply, ReplyKind, ReplyStream},
    stats::Counters,
};

/// The answer that one message still waits for.
#[derive(Debug)]
pub(super) struct Answer {
    ack: Option<AckId>,
    done: bool,
    /// Shared with the handler where it takes the ack: who answers first has answered.
    shared: Option<Arc<AckState>>,
    /// The handler answers by itself.
    manual: bool,
}

impl Answer {
    pub(super) fn new(ack: Option<AckId>) -> Self {
        Self { ack, done: false, shared: None, manual: false }
    }

    /// Shares the answer with whoever takes the ack.
    pub(super) fn share(&mut self) {
        self.shared = Some(Arc::default());
    }

    pub(super) fn shared(&self) -> Option<&Arc<AckState>> {
        self.shared.as_ref()
    }

    /// Takes the id to answer; `None` where none was asked for or the answer is given.
    fn claim(&mut self) -> Option<AckId> {
        let free = !self.done && self.shared.as_ref().is_none_or(|state| state.claim());
        self.done = true;
        self.ack.filter(|_| free)
    }

    /// Whether an answer was asked for and not given yet.
    pub(super) fn is_open(&self) -> bool {
        self.ack.is_some() && !self.done
    }

    /// Passes the duty on to a stream.
    pub(super) fn hand_over(&mut self) -> Self {
        let handed =
            Self { ack: self.ack, done: self.done, shared: self.shared.clone(), manual: self.manual };
        self.done = true;
        handed
    }

    /// Nothing more comes: an ack that is still open is answered without data.
    pub(super) fn finish(mut self, client: &Client, out: &mut dyn Outlet) {
        match &self.shared {
            Some(state) if self.manual && state.returned() => {
                if let Some(id) = self.ack {
                    let denied = Denied::internal("the handler dropped its ack without an answer");
                    denied.log();
                    drop(write(client, Outgoing::AckError { id, error: &denied.payload() }, out));
                }
            }
            Some(_) if self.manual => {}
            _ => {
                if let Some(id) = self.claim() {
                    drop(write(client, Outgoing::Ack { id, payload: &Payload::Empty }, out));
                }
            }
        }
    }
}

/// Writes a reply; gives back its streams, which go on for longer.
pub(super) fn settle(
    client: &Client,
    reply: Reply,
    answer: &mut Answer,
    out: &mut dyn Outlet,
) -> Vec<ReplyStream> {
    let (kind, manual) = reply.into_parts();
    if let Some(state) = manual.filter(|_| answer.ack.is_some()) {
        answer.manual = true;
        answer.shared.get_or_insert(state);
    }
    match kind {
        ReplyKind::None => {}
        ReplyKind::Value(payload) => value(client, &payload, answer, out),
        ReplyKind::Emit(Emit { event, payload }) => {
            let sent = payload.and_then(|payload| {
                write(client, Outgoing::Event { event: &event, payload: &payload, ack: None }, out)
            });
            if let Err(error) = sent {
                tell(client, answer, &Denied::from(error), out);
            }
        }
        ReplyKind::Many(replies) => {
            return replies.into_iter().flat_map(|reply| settle(client, reply, answer, out)).collect();
        }
        ReplyKind::Stream(stream) => return vec![stream],
        ReplyKind::Error(denied) => tell(client, answer, &denied, out),
        ReplyKind::ErrorAck(denied) => {
            denied.log();
            error_ack(client, answer, &denied.payload(), out);
        }
    }
    Vec::new()
}

fn value(client: &Client, payload: &Payload, answer: &mut Answer, out: &mut dyn Outlet) {
    let Some(asked) = answer.ack else {
        // No answer was asked for: an envelope with a form for bare values writes it, the others drop it.
        return drop(write(client, Outgoing::Value(payload), out));
    };
    if answer.manual {
        return;
    }
    match answer.claim() {
        Some(id) => {
            if let Err(error) = write(client, Outgoing::Ack { id, payload }, out) {
                let denied = Denied::from(error);
                denied.log();
                drop(write(client, Outgoing::AckError { id: asked, error: &denied.payload() }, out));
            }
        }
        None => Counters::add(&client.hub_inner().counters().values_dropped),
    }
}

/// Tells a client that its message failed: an error ack where it waits for one, else the event `exception`.
pub(super) fn tell(client: &Client, answer: &mut Answer, denied: &Denied, out: &mut dyn Outlet) {
    denied.log();
    let error = denied.payload();
    if !error_ack(client, answer, &error, out) {
        let exception = Outgoing::Event { event: "exception", payload: &error, ack: None };
        if write(client, exception, out).is_err() {
            // Only an envelope without events has no form for it.
            Counters::add(&client.hub_inner().counters().values_dropped);
        }
    }
}

/// Answers with a failure who waits for an answer. Returns whether somebody did, and the envelope has a form for it.
fn error_ack(client: &Client, answer: &mut Answer, error: &Payload, out: &mut dyn Outlet) -> bool {
    answer.claim().is_some_and(|id| write(client, Outgoing::AckError { id, error }, out).is_ok())
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What the scratch buffer may keep between frames, in bytes.
const SCRATCH_KEPT: usize = 64 * 1024;

/// Encodes straight into the carrier's buffer, behind what is queued.
fn write(client: &Client, outgoing: Outgoing<'_>, out: &mut dyn Outlet) -> Result<(), Error> {
    let outbox = &client.inner().outbox;
    if !outbox.is_empty() {
        outbox.drain(out);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        match client.wire().encode_into(outgoing, scratch)? {
            FrameKind::Text => out.text(scratch),
            FrameKind::Binary => out.binary(scratch),
        }
        if scratch.capacity() > SCRATCH_KEPT {
            *scratch = Vec::new();
        }
        client.hub_inner().observe(|observer| observer.sent(&Sent::new(&outgoing, 1)));
        Ok(())
    })
}
