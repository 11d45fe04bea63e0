//! Who a client is: tokens (JWT), signed cookies and one-time tickets.
//!
//! Both layers wrap the handshake, so that nobody who is refused is ever a client: 401 before the upgrade or the stream,
//! CONNECT_ERROR on Socket.IO. What they find out lands in the request's extensions, for handlers and guards to take, and
//! as the [`Principal`](narthex_core::Principal).
//!
//! - [`JwtLayer`] takes a token from where [`Credentials`] say, verifies it with a key of a [`KeySource`], and gives
//!   [`Claims`]. A client is closed when its token ends, unless it sends a newer one: [`JwtLayer::refresh`].
//! - [`CookieLayer`] takes a signed cookie, and gives the [`CookieIdentity`] that a [`CookieStore`] keeps for it.
//! - [`Tickets`] stand for a token in a URL, once.
//!
//! A client that came with a token and a cookie is closed when the first of them ends. The principal is that of the inner layer.

mod cookie;
mod credentials;
mod ends;
mod expiring;
mod fault;
mod fields;
mod jwt;
mod secret;
mod tickets;

pub use self::{
    cookie::{Cookie, CookieIdentity, CookieKeys, CookieLayer, CookieStore, MemoryCookieStore},
    credentials::{Credentials, MAX_TOKEN, Token},
    jwt::{Claims, Jwt, JwtKey, JwtKeys, JwtLayer, KeySource, RefreshRequest},
    tickets::Tickets,
};
