//! What comes between TCP and HTTP.

use std::{io, time::Duration};

use tokio::net::TcpStream;

use crate::stream::HttpStream;

/// Whether the listener speaks TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::tls::TlsConfig>,
}

impl Security {
    /// The stream that HTTP is spoken on, once both sides have agreed on it.
    ///
    /// # Errors
    ///
    /// The handshake failed, or took longer than `timeout`.
    #[cfg(feature = "tls")]
    pub(crate) async fn secure(&self, stream: TcpStream, timeout: Duration) -> io::Result<HttpStream> {
        let Some(tls) = &self.tls else { return Ok(stream.into()) };
        // Boxed: it is over soon, and the connection's task keeps no room for it.
        let shaking = Box::pin(tokio::time::timeout(timeout, tls.accept(stream)));
        Ok(HttpStream::tls(shaking.await??))
    }

    /// The stream as it came.
    #[cfg(not(feature = "tls"))]
    pub(crate) async fn secure(&self, stream: TcpStream, _: Duration) -> io::Result<HttpStream> {
        Ok(stream.into())
    }
}
