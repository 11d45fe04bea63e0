//! What layers of the handshake want done with the client that comes of it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::Extensions;

use super::Client;
use crate::panic::caught;

type Act = Arc<dyn Fn(&Client) + Send + Sync>;

/// What a layer of the handshake wants done with the client that comes of it, as an extension of the handshake's
/// request.
///
/// It runs when the client opens, before `on_connect`. Where a client comes back on another connection (a session that
/// outlives its carrier), what the newer handshake's layers want is done with it then. Where it panics, the client is
/// closed with 1011: something that a layer relied on has not happened.
///
/// ```
/// use narthex_core::{Client, OnOpen};
///
/// # fn layer(request: &mut http::Request<()>) {
/// OnOpen::add(request.extensions_mut(), |client: &Client| client.set_user("ada"));
/// # }
/// ```
#[derive(Clone, Default)]
pub struct OnOpen(Vec<Act>);

impl OnOpen {
    /// Adds to what is done, behind what other layers want.
    pub fn add(extensions: &mut Extensions, act: impl Fn(&Client) + Send + Sync + 'static) {
        extensions.get_or_insert_default::<Self>().0.push(Arc::new(act));
    }

    pub(crate) fn run(&self, client: &Client) {
        for act in &self.0 {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| act(client))) {
                drop(caught("what a layer wants done on open", &*panic, client.hub_inner().counters()));
                client.disconnect(1011, "internal error");
            }
        }
    }
}

impl fmt::Debug for OnOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnOpen").field("len", &self.0.len()).finish()
    }
}
