//! Secrets: 128 random bits, compared in constant time, and never in a log.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use narthex_core::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

/// How many bytes a secret has.
const BYTES: usize = 16;

/// What opens a session or a ticket.
#[derive(Clone)]
pub(crate) struct Secret([u8; BYTES]);

impl Secret {
    /// A fresh one, from the operating system's generator.
    ///
    /// # Errors
    /// Kind `Io` when the system has no randomness to give.
    pub(crate) fn generate() -> Result<Self> {
        random().map(Self)
    }

    /// Reads what [`reveal`](Self::reveal) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The secret as text, for its owner alone.
    pub(crate) fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Random bytes of the operating system.
///
/// # Errors
/// Kind `Io` when it has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|e| Error::new(ErrorKind::Io, "the system has no randomness").with_source(e))?;
    Ok(bytes)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_is_no_other() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let read = Secret::parse(&one.reveal()).unwrap();
        assert!(read.is(&one) && !read.is(&other));
        assert_eq!(one.reveal().len(), 22);
        for text in ["", "x", &one.reveal()[1..], &format!("{}A", one.reveal()), "ä"] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_log_shows_a_secret() {
        let secret = Secret::generate().unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
