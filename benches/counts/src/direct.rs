//! Paths without a socket: the envelope by itself, and a session that is driven by hand.

use std::{
    hint::black_box,
    task::{Context, Waker},
};

use narthex::{
    DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability, Frame, FrameKind, Gateway,
    Incoming, JsonEnvelope, Outgoing, Session,
};
use tower::layer::util::Identity;

use crate::{
    Result,
    desk::{self, Paper},
    doors::echo,
    section, talk,
};

/// Messages that are counted.
const MESSAGES: u64 = 4_000;
/// Messages before, so that buffers have their size.
const WARM_UP: u64 = 400;
/// Messages between two writes of the door.
const BATCH: usize = 16;

fn frames(messages: u64) -> Vec<Frame> {
    (0..messages).map(|n| Frame::text(talk::request(n))).collect()
}

fn decoded(messages: u64) -> Result<Vec<Incoming>> {
    let decode = |frame: &Frame| JsonEnvelope.decode(frame, &DecodeLimits::default());
    frames(messages).iter().map(|frame| decode(frame).map_err(|error| error.message.into())).collect()
}

/// The default envelope reads events.
pub(crate) fn decode() -> Result<u64> {
    let (frames, limits) = (frames(MESSAGES), DecodeLimits::default());
    let mut events = 0;
    section::counted(&mut || {
        for frame in &frames {
            let decoded = JsonEnvelope.decode(black_box(frame), &limits);
            events += u64::from(matches!(black_box(decoded), Ok(Incoming::Message(_))));
        }
    });
    expect(events == MESSAGES, "a message was not understood")?;
    Ok(MESSAGES)
}

/// The default envelope writes acks.
pub(crate) fn encode() -> Result<u64> {
    let messages = decoded(MESSAGES)?;
    let mut buffer = Vec::with_capacity(256);
    section::counted(&mut || {
        for incoming in &messages {
            if let Incoming::Message(message) = incoming {
                buffer.clear();
                let ack = Outgoing::Ack { id: message.ack().unwrap_or_default(), payload: message.payload() };
                black_box(JsonEnvelope.encode(black_box(ack), &mut buffer));
            }
        }
    });
    expect(buffer == talk::ack(MESSAGES - 1).into_bytes(), "an ack was wrong")?;
    Ok(MESSAGES)
}

/// A session gets decoded messages and writes nothing: what is left is the dispatch.
pub(crate) fn dispatch() -> Result<u64> {
    dispatched(echo())
}

/// The same through five layers that do nothing.
pub(crate) fn dispatch_through_layers() -> Result<u64> {
    dispatched((0..5).fold(echo(), |gateway, _| gateway.layer(Identity::new())))
}

fn dispatched(gateway: Gateway) -> Result<u64> {
    let warm_up = decoded(WARM_UP)?;
    let messages = decoded(MESSAGES)?;
    driven(gateway, Silent, |session| {
        drive(session, warm_up, |session, cx, message, out| {
            session.receive_decoded(cx, Ok(message), 128, out);
        });
        let mut messages = Some(messages);
        let mut out = Paper::default();
        section::counted(&mut || {
            let messages = messages.take().unwrap_or_default();
            out = drive(session, messages, |session, cx, message, out| {
                session.receive_decoded(cx, Ok(message), 128, out);
            });
        });
        expect(out.frames == MESSAGES, "an ack is missing")
    })
}

/// A session gets frames and writes frames, in the default envelope.
pub(crate) fn session() -> Result<u64> {
    driven(echo(), JsonEnvelope, |session| {
        let receive = |session: &mut Session, cx: &mut Context<'_>, frame: Frame, out: &mut Paper| {
            session.receive(cx, frame, out);
        };
        drive(session, frames(WARM_UP), receive);
        let mut frames = Some(frames(MESSAGES));
        let mut out = Paper::default();
        section::counted(&mut || out = drive(session, frames.take().unwrap_or_default(), receive));
        expect(out.frames == MESSAGES, "an ack is missing")?;
        let last: String = (MESSAGES - BATCH as u64..MESSAGES).map(talk::ack).collect();
        expect(out.bytes == last.into_bytes(), "an ack was wrong")
    })
}

fn driven(
    gateway: Gateway,
    envelope: impl Envelope,
    work: impl FnOnce(&mut Session) -> Result,
) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut open = runtime.block_on(desk::open(gateway, 1, envelope))?;
    // Handlers may look for the runtime that they run on.
    let _entered = runtime.enter();
    let session = open.sessions.first_mut().ok_or("no session")?;
    work(session)?;
    Ok(MESSAGES)
}

/// Hands all over as a door does, in batches. What is left in the outlet is the last of them.
fn drive<T>(
    session: &mut Session,
    all: Vec<T>,
    receive: impl Fn(&mut Session, &mut Context<'_>, T, &mut Paper),
) -> Paper {
    let mut cx = Context::from_waker(Waker::noop());
    let mut out = Paper::default();
    for (at, one) in all.into_iter().enumerate() {
        if at % BATCH == 0 {
            out.bytes.clear();
        }
        receive(session, &mut cx, one, &mut out);
        if at % BATCH == BATCH - 1 {
            // It lives on: nobody has closed it.
            let _ended = session.poll_outbound(&mut cx, &mut out).is_ready();
        }
    }
    out
}

/// An envelope that writes nothing, for what costs without it.
#[derive(Debug)]
struct Silent;

impl Envelope for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn capability(&self) -> EnvelopeCapability {
        EnvelopeCapability::ALL
    }

    fn decode(&self, _: &Frame, _: &DecodeLimits) -> std::result::Result<Incoming, DecodeError> {
        Err(DecodeError::new(DecodeErrorKind::FrameKind, "messages come decoded"))
    }

    fn encode(&self, outgoing: Outgoing<'_>, _: &mut Vec<u8>) -> Option<FrameKind> {
        matches!(outgoing, Outgoing::Ack { .. }).then_some(FrameKind::Text)
    }
}

/// Fails with `otherwise` unless it is `true`.
pub(crate) fn expect(right: bool, otherwise: &'static str) -> Result {
    if right { Ok(()) } else { Err(otherwise.into()) }
}
