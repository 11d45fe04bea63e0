//! Randomness of the operating system.

use narthex_core::{Error, ErrorKind, Result};

/// How many bytes a secret has: 128 bits.
pub(super) const SECRET: usize = 16;

/// Random bytes.
///
/// # Errors
/// Kind `Io` when the system has none to give.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|e| Error::new(ErrorKind::Io, "the system has no randomness").with_source(e))?;
    Ok(bytes)
}

/// A shared secret that somebody configured: never empty.
///
/// # Errors
/// Kind `Config` when it is.
pub(super) fn configured<'a>(secret: &'a [u8], what: &'static str) -> Result<&'a [u8]> {
    match secret.len() {
        0 => Err(Error::new(ErrorKind::Config, format!("{what} is empty"))),
        short @ 1..32 => {
            // RFC 7518 section 3.2, and RFC 2104 section 3 for HMAC as such.
            tracing::warn!("{what} has {short} bytes; shorter than 32 it can be guessed");
            Ok(secret)
        }
        _ => Ok(secret),
    }
}
