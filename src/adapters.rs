//! The adapters that the feature flags compiled in.

use narthex_core::{Adapter, Error, ErrorKind, Result};
#[cfg(feature = "socketio")]
pub use narthex_socketio::{BareEngine, SocketIo};
#[cfg(feature = "sse-fallback")]
pub use narthex_sse::Sse;
#[cfg(feature = "ws")]
pub use narthex_ws::Ws;

/// Every adapter that the feature flags compiled in, with its defaults.
///
/// Features are additive: another crate that turns one on may open one more door here. Who wants certainty names the
/// adapters.
///
/// # Errors
/// `Config` where no adapter's feature is on.
pub fn enabled() -> Result<Vec<Adapter>> {
    let adapters: Vec<Adapter> = vec![
        #[cfg(feature = "ws")]
        Adapter::new(Ws::new()),
        #[cfg(feature = "socketio")]
        Adapter::new(SocketIo::new()),
        #[cfg(feature = "sse-fallback")]
        Adapter::new(Sse::new()),
    ];
    if adapters.is_empty() {
        let why =
            "no adapter is compiled in: turn on a feature of `narthex` (`ws`, `socketio`, `sse-fallback`)";
        return Err(Error::new(ErrorKind::Config, why));
    }
    Ok(adapters)
}
