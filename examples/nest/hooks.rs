//! `handleConnection` that fails: the client is refused, and reads why.

use narthex::{Denied, Gateway};

/// At once.
pub(crate) fn throws() -> Gateway {
    refusing("/throws").on_connect(|| async { Err::<(), _>(Denied::unauthorized("Unauthorized")) })
}

/// After a while.
pub(crate) fn rejects() -> Gateway {
    refusing("/rejects").on_connect(|| async {
        tokio::task::yield_now().await;
        Err::<(), _>(Denied::unauthorized("Unauthorized"))
    })
}

/// Its handlers are never reached.
fn refusing(namespace: &str) -> Gateway {
    Gateway::new().namespace(namespace).on("push", async || "reached")
}
