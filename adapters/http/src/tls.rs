//! TLS, with rustls.

use std::{fmt, io, path::Path, sync::Arc};

use narthex_core::{Error, ErrorKind, Result};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// A connection that speaks TLS.
pub(crate) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// The most bytes, in each direction, that a connection holds encrypted and unsent: one record (RFC 8446 section 5.2).
const UNSENT: usize = 16 * 1024;

/// A server's certificate and how it speaks TLS: versions 1.3 and 1.2 (RFC 8446, RFC 5246), HTTP/1.1 by ALPN
/// (RFC 7301), no client certificates.
///
/// It is the cryptography of aws-lc-rs, chosen here and not for the process. Cheap to clone; `Debug` shows nothing of
/// the key.
#[derive(Clone)]
pub struct TlsConfig {
    acceptor: TlsAcceptor,
}

impl TlsConfig {
    /// Reads a certificate chain, the server's own certificate first, and its private key (PKCS #8, PKCS #1 or SEC 1)
    /// from two PEM files. They are read once; a renewed certificate needs a new server.
    ///
    /// # Errors
    ///
    /// Kind `Config`, naming the file: it cannot be read, has no certificate or no key in it, or the key is of another
    /// certificate.
    pub fn from_pem_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let (certificates, key) = (certificates.as_ref(), key.as_ref());
        let (chain_name, key_name) = (certificates.display().to_string(), key.display().to_string());
        let read = |path: &Path| {
            let context = || format!("cannot read the file {}", path.display());
            std::fs::read(path).map_err(|error| Error::new(ErrorKind::Config, context()).with_source(error))
        };
        Self::new((&read(certificates)?, &chain_name), (&read(key)?, &key_name))
    }

    /// The same from the text of the files.
    ///
    /// # Errors
    ///
    /// Kind `Config`, as [`from_pem_files`](Self::from_pem_files).
    pub fn from_pem(certificates: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        Self::new((certificates.as_ref(), "the certificates"), (key.as_ref(), "the key"))
    }

    fn new(certificates: (&[u8], &str), key: (&[u8], &str)) -> Result<Self> {
        let (chain, key_der) = (chain(certificates)?, private_key(key)?);
        let (chain_name, key_name) = (certificates.1, key.1);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| config("TLS cannot be set up".to_owned()).with_source(error))?;
        let mut server = builder.with_no_client_auth().with_single_cert(chain, key_der).map_err(|error| {
            let context = format!("{key_name} is no key for the first certificate of {chain_name}");
            config(context).with_source(error)
        })?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(server)) })
    }

    pub(crate) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        self.acceptor.accept_with(stream, |session| session.set_buffer_limit(Some(UNSENT)))
    }
}

fn chain((pem, name): (&[u8], &str)) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem)
            .collect::<std::result::Result<_, pem::Error>>()
            .map_err(|error| config(format!("{name} is no PEM")).with_source(io::Error::other(error)))?;
    if chain.is_empty() {
        return Err(config(format!("{name} has no certificate in it (BEGIN CERTIFICATE)")));
    }
    Ok(chain)
}

fn private_key((pem, name): (&[u8], &str)) -> Result<PrivateKeyDer<'static>> {
    // The source is left out: it could quote the file.
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| config(format!("{name} has no private key in it (BEGIN PRIVATE KEY)")))
}

fn config(context: String) -> Error {
    Error::new(ErrorKind::Config, context)
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pem() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn refusal(certificates: &str, key: &str) -> String {
        let error = TlsConfig::from_pem(certificates, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    #[test]
    fn a_certificate_and_its_key_are_taken_and_the_key_is_not_shown() {
        let (certificate, key) = pem();
        let config = TlsConfig::from_pem(&certificate, &key).unwrap();
        assert_eq!(format!("{config:?}"), "TlsConfig { .. }");
    }

    #[test]
    fn what_is_no_certificate_no_key_or_not_its_key_is_named() {
        let ((certificate, key), (_, other)) = (pem(), pem());
        assert!(refusal("", &key).contains("the certificates has no certificate"));
        assert!(
            refusal("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", &key).contains("no PEM")
        );
        assert!(refusal(&certificate, &certificate).contains("the key has no private key"));
        assert!(refusal(&certificate, &other).contains("no key for the first certificate"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = TlsConfig::from_pem_files("no/such.pem", "no/key.pem").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("no/such.pem"));
    }
}
