//! TLS: the certificates that a client takes. Leaf: anyone who makes an HTTP client or opens a Redis may use it.
//!
//! A certificate is good if an authority that is trusted has signed it for the name that is asked for: one that the
//! system knows, or one in the file that a setting names. A certificate that stands in that file itself is good as it
//! is, whatever name and purpose it was made for, until it expires: NetBox's own install guide makes one that is an
//! authority's and names no host. The server has to prove in any case that it holds the certificate's key.
//!
//! [`Distrust`] says of a failure that it was about a certificate, and why.

mod distrust;
mod verifier;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{VerifierBuilderError, WebPkiServerVerifier},
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};

pub use distrust::Distrust;
use verifier::Verifier;

/// The certificates that a client takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trust<'a> {
    /// None: nothing is encrypted, so it also works where no authorities are installed.
    Nobody,
    /// Those of the authorities that the system knows.
    System,
    /// These too: those in a PEM file, and those of the authorities in it.
    File(&'a Path),
}

/// The reasons why certificates cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is not PEM.
    #[error("{} is not a proper PEM file", .0.display())]
    NotPem(PathBuf, #[source] pem::Error),
    /// The file holds something else.
    #[error(
        "{} holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl \
         x509 -inform der -in FILE` writes a binary one like that)", .0.display()
    )]
    Empty(PathBuf),
    /// The file holds a certificate, counted from one, that cannot be understood.
    #[error("certificate {number} in {} cannot be understood", path.display())]
    #[expect(missing_docs, reason = "the names say it")]
    Unusable { path: PathBuf, number: usize, source: rustls::Error },
    /// There is no authority to trust.
    #[error("this system knows no certificate authorities; install its package ca-certificates")]
    NoAuthorities(#[source] VerifierBuilderError),
}

/// Chooses the provider for the whole process, as rustls asks for it there. An earlier choice of somebody else is as
/// good.
pub(crate) fn choose_provider() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl<'a> Trust<'a> {
    /// Returns the trust that a setting names, or the usual one where something is `encrypted`.
    pub(crate) fn of(ca_file: Option<&'a Path>, encrypted: bool) -> Self {
        match ca_file {
            Some(path) => Self::File(path),
            None if encrypted => Self::System,
            None => Self::Nobody,
        }
    }

    /// Makes the settings of a client.
    pub(crate) fn client_config(self) -> Result<ClientConfig, Error> {
        choose_provider();
        let named = match self {
            Self::Nobody => {
                let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
                return Ok(nobody.with_no_client_auth());
            }
            Self::System => Vec::new(),
            Self::File(path) => certificates(path)?,
        };
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        authorities.add_parsable_certificates(named.iter().cloned());
        let usual = WebPkiServerVerifier::builder(Arc::new(authorities)).build().map_err(Error::NoAuthorities)?;
        let verifier = Arc::new(Verifier { usual, named });
        let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier);
        Ok(config.with_no_client_auth())
    }
}

/// Reads the certificates in a PEM file; what else it holds is left out.
///
/// # Errors
/// When it holds none, or one that cannot be understood.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_slice_iter(&text(path)?).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| Error::NotPem(path.to_owned(), error))?;
    if certificates.is_empty() {
        return Err(Error::Empty(path.to_owned()));
    }
    for (certificate, number) in certificates.iter().zip(1..) {
        let understood = RootCertStore::empty().add(certificate.clone());
        understood.map_err(|source| Error::Unusable { path: path.to_owned(), number, source })?;
    }
    Ok(certificates)
}

/// Reads the text of such a file.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn text(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::Unreadable(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_chain::error_chain;

    fn told(text: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let error = certificates(file.path()).unwrap_err();
        error_chain(&error).replace(file.path().to_str().unwrap(), "FILE")
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_with_what_is_wrong() {
        insta::assert_snapshot!(told(b""), @"FILE holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl x509 -inform der -in FILE` writes a binary one like that)");
        insta::assert_snapshot!(told(b"\x30\x82\x03\x0f"), @"FILE holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl x509 -inform der -in FILE` writes a binary one like that)");
        insta::assert_snapshot!(told(b"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"), @"FILE holds no certificate; it has to be a PEM file, in which one begins with -----BEGIN CERTIFICATE----- (`openssl x509 -inform der -in FILE` writes a binary one like that)");
        insta::assert_snapshot!(told(b"-----BEGIN CERTIFICATE-----\nMC4=\n-----END CERTIFICATE-----\n"), @"certificate 1 in FILE cannot be understood: invalid peer certificate: BadEncoding");
        assert!(told(b"-----BEGIN CERTIFICATE-----\nMC4=\n").starts_with("FILE is not a proper PEM file: "));
        let error = certificates(Path::new("/nowhere/ca.pem")).unwrap_err();
        insta::assert_snapshot!(error_chain(&error), @"/nowhere/ca.pem cannot be read: No such file or directory (os error 2)");
    }
}
