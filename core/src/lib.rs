//! The transport-neutral core of Narthex.
//!
//! One [`Gateway`] (handlers, guards, layers, hooks) is served behind any number of adapters. The crate `narthex` is
//! the one to depend on; this one is for authors of adapters and middleware.
//!
//! In reading order: [`Message`] and [`Envelope`], [`Client`], [`Hub`] and its rooms, [`Reply`], the extractors
//! ([`Json`], [`State`], …), [`Handler`], [`Guard`], [`Gateway`], the contract [`WebSocketAdapter`], [`Server`], and the
//! in-memory adapter [`Memory`].

mod adapter;
mod client;
mod error;
mod extract;
mod filter;
mod gateway;
mod guard;
mod handler;
mod limits;
mod memory;
mod message;
mod observer;
mod panic;
mod reply;
mod room;
mod serve;
mod stats;

#[cfg(feature = "testing")]
pub use self::memory::{TestClient, TestMessage, TestServer};
pub use self::{
    adapter::{
        Adapter, Admission, AttachError, Capability, Carried, Carrier, CarrierItem, Connect, Options,
        ReceiveError, Rechecked, Resumable, ResumeOptions, Session, WebSocketAdapter,
    },
    client::{
        AuthPayload, Client, ClientId, CloseReason, DirectSink, DirectWrite, GroupSink, HandshakeInfo,
        OnOpen, Params, PeerAddr, Principal, SharedConnection, cork,
    },
    error::{BoxError, Error, ErrorKind, Result},
    extract::{
        Ack, Event, Extension, FromEvent, Handshake, Json, Metadata, Needs, Path, Query, Registration,
        RoomName, State,
    },
    filter::{Failed, Filter},
    gateway::{Gateway, HandshakeBody, HandshakeLayer, HandshakeRoute},
    guard::{Attach, Guard, GuardDef, IntoVerdict},
    handler::{Handler, HandlerDef, IntoPattern, MessageLayer, Pattern, Route, RouteFuture},
    limits::{Limits, Overflow},
    memory::{Memory, MemoryConnector, MemoryPeer},
    message::{
        AckId, Arguments, DecodeError, DecodeErrorKind, DecodeLimits, Envelope, EnvelopeCapability,
        EventName, Flat, Frame, FrameKind, Framing, Incoming, JsonEnvelope, MAX_NAME_BYTES, Message, Nest,
        Outgoing, Outlet, Payload, Raw, RawJson, check_name,
    },
    observer::{Observer, Refused, Sent, SentKind},
    reply::{Denied, DeniedKind, Emit, IntoReply, Reply, Streamed},
    room::{Hub, Target},
    serve::{BoundServer, Server, ServerHandle, serve},
    stats::Stats,
};
