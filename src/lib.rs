#![doc = include_str!("../README.md")]

pub mod adapters;

// Its examples compile.
#[cfg(all(doctest, feature = "ws", feature = "tls"))]
#[doc = include_str!("../docs/http.md")]
mod http_page {}

#[cfg(all(doctest, feature = "ws", feature = "socketio", feature = "auth", feature = "validation"))]
#[doc = include_str!("../docs/from-nestjs.md")]
mod from_nestjs_page {}

#[cfg(all(doctest, feature = "ws", feature = "metrics"))]
#[doc = include_str!("../docs/observability.md")]
mod observability_page {}

pub use narthex_core::{
    Ack, AckId, Adapter, Admission, Arguments, Attach, AttachError, AuthPayload, BoundServer, BoxError,
    Capability, Carried, Carrier, CarrierItem, Client, ClientId, CloseReason, Connect, DecodeError,
    DecodeErrorKind, DecodeLimits, Denied, DeniedKind, DirectSink, DirectWrite, Emit, Envelope,
    EnvelopeCapability, Error, ErrorKind, Event, EventName, Extension, Failed, Filter, Flat, Frame,
    FrameKind, Framing, FromEvent, Gateway, GroupSink, Guard, GuardDef, Handler, HandlerDef, Handshake,
    HandshakeBody, HandshakeInfo, HandshakeLayer, HandshakeRoute, Hub, Incoming, IntoPattern, IntoReply,
    IntoVerdict, Json, JsonEnvelope, Limits, MAX_NAME_BYTES, Memory, MemoryConnector, MemoryPeer, Message,
    MessageLayer, Metadata, Needs, Nest, Observer, OnOpen, Options, Outgoing, Outlet, Overflow, Params, Path,
    Pattern, Payload, PeerAddr, Principal, Query, Raw, RawJson, ReceiveError, Rechecked, Refused,
    Registration, Reply, Result, Resumable, ResumeOptions, RoomName, Route, RouteFuture, Sent, SentKind,
    Server, ServerHandle, Session, SharedConnection, State, Stats, Streamed, Target, WebSocketAdapter,
    check_name, cork, serve,
};
#[cfg(feature = "testing")]
pub use narthex_core::{TestClient, TestMessage, TestServer};
#[cfg(feature = "http")]
pub use narthex_http as http;
#[cfg(feature = "macros")]
pub use narthex_macros::{debug_handler, gateway};
pub use narthex_middleware as middleware;
#[cfg(feature = "rest")]
pub use narthex_rest as rest;
