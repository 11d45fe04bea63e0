//! REST over the socket: any tower HTTP service, an axum `Router` for one, behind the events of a gateway.
//!
//! A client emits an event that is named as an HTTP method, with one argument, and asks for an answer:
//!
//! ```text
//! get   {"method":"get","url":"/example?id=1","headers":{},"data":{}}   →   {"body":"Hello !","headers":{},"statusCode":200}
//! ```
//!
//! which is what the sails.io.js client and its like speak. The service is called with a request that is made of the message and of the
//! handshake, and its response is the answer: routes, extractors, layers and state are those of HTTP, and the same service can serve
//! HTTP too.
//!
//! ```
//! use axum::{Router, extract::Path, routing::get};
//! use narthex_core::Gateway;
//! use narthex_rest::Rest;
//!
//! let router = Router::new().route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello, {name}") }));
//! let gateway = Rest::new(router).on(Gateway::new());
//! ```
//!
//! # The request
//!
//! | of it | is |
//! | --- | --- |
//! | the method | the event's name. A `method` in the message must be one of the seven too, and says nothing |
//! | the path | that of `url`, without dot segments; a host in it is ignored |
//! | the query | that of `url`, behind the handshake's where [`Rest::inherit_query`] says so |
//! | headers | the handshake's, and those of the message that the handshake has not fixed: see [`Rest::allow_header`] |
//! | the body | `data` as the client wrote it, over `params` where both are objects; text where the message's `Content-Type` is not JSON |
//! | extensions | all that [`Extension`](narthex_core::Extension) finds, the [`Client`](narthex_core::Client), its [`Hub`](narthex_core::Hub), and [`Attachments`] where bytes came along |
//!
//! What belongs to one connection or to its upgrade (RFC 9110 section 7.6.1) is left out of both, and so is what says which answer the
//! handshake itself wants (`Accept`, `Range`, `If-*`, …). A request never has `Accept-Encoding`: an answer is text, so it is not compressed.
//!
//! # The answer
//!
//! `{"body", "headers", "statusCode"}`: JSON as it is, text as a string, and no `body` where there is none. A response without a
//! `Content-Type` is JSON where it is an object or a list; one that is neither JSON nor text is answered 500. Names of headers are written
//! as in `Content-Type`; a header that is there more than once has a list. A cookie that is `HttpOnly` is not among them: the client's
//! script would read it. Set such cookies over HTTP.
//!
//! A message that is no request is answered 400, one whose body is too large 413, a service that fails or panics 500, one that takes too
//! long 504. Where no answer was asked for, the service runs all the same.
//!
//! Requests of one client are answered in order, as all of its messages are.

mod answer;
mod body;
mod headers;
mod request;
mod rest;
mod url;

pub use self::{request::Attachments, rest::Rest};
