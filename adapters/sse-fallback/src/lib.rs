//! The SSE adapter of Narthex: a stream of events down, POST up, one session.
//!
//! [`Sse`] opens on the HTTP listener that all adapters of a server share. A browser's `EventSource`, a streaming `fetch`
//! and curl speak it. A stream that breaks does not end its client: the next one goes on where it broke.
//!
//! How it works, in reading order: `claim` says which requests are the door's, `door` answers them (`open` the streams,
//! `post` what comes up, `ticket` the one-time credentials), `sessions` and `tickets` keep who may go on with what,
//! `stream` is the body of an open stream, and `wire` and `envelope` are what is written. The session itself is
//! [`Resumable`](narthex_core::Resumable), the core's.

mod adapter;
mod answer;
mod batch;
mod claim;
mod client;
mod door;
mod envelope;
mod open;
mod post;
mod secret;
mod sessions;
mod settings;
mod stream;
mod ticket;
mod tickets;
mod wire;

pub use self::{
    adapter::{Sse, SseServer},
    client::SseClient,
    envelope::Base64Envelope,
};
