//! Spans of connections and messages, by the [`tracing`] facade.
//!
//! One [`TraceLayer`] is all three: a layer of the handshake, which makes the connection's span; a layer of messages,
//! which makes a span for each, inside of the connection's; and an observer, which says who came, left and was refused.
//! Each works without the others.
//!
//! ```
//! use narthex_core::{Gateway, Server};
//! use narthex_middleware::TraceLayer;
//!
//! let trace = TraceLayer::new();
//! let server = Server::new(Gateway::new())
//!     .observe(trace.clone())
//!     .handshake_layer(trace.clone())
//!     .message_layer(trace);
//! ```
//!
//! Everything has the target `narthex`.
//!
//! | what | level | fields |
//! | --- | --- | --- |
//! | span `connection` | info | `adapter` and `client` (once it is open), `namespace`, `status` of the handshake's answer, `trace_id` and `parent_id` of a `traceparent`; where asked for, `query` and `peer` |
//! | span `message` | debug | `event`, `ack`, `outcome`, `duration_us` |
//! | event "a call failed" | error | `event`, `client`, `error`: what a client is not told |
//! | event "a message was refused" | debug | `event`, `client`, `outcome` |
//! | events "connected", "disconnected", "refused" | debug | `adapter` and `client`; with `code` and `reason`; `namespace` and `status` |
//!
//! `event` is the event as it was registered, `_unknown` for one that nobody has registered, `_unreadable` for a frame that
//! cannot be read. `outcome` is `ok`, the name of a [`DeniedKind`](narthex_core::DeniedKind), or `cancelled` for a call that
//! was dropped before its end. An error that a filter has turned into another reply counts as the error that it was; it is
//! for the filter to log it, as the ready-made ones do. Of a stream, the beginning counts.
//!
//! Where messages are filtered out, handlers run inside of the connection's span. A span that nobody wants costs a look
//! at the filter, and allocates nothing.
//!
//! **Never recorded**: payloads, headers (so neither `Authorization`, `Cookie` nor `Sec-WebSocket-Protocol`), what
//! Socket.IO clients send as `auth`, and what a client reads of its own mistakes, which may quote its payload. The query
//! is left out; with [`TraceLayer::with_query`] it is recorded with credentials taken out.

mod future;
mod handshake;
mod layer;
mod message;
mod observer;
mod parent;
mod redact;

pub use self::{
    future::{TraceFuture, TraceHandshakeFuture},
    handshake::{ConnectionSpan, TraceHandshake},
    layer::TraceLayer,
    message::Trace,
    parent::TraceParent,
};

/// The target of all spans and events here.
const TARGET: &str = "narthex";
