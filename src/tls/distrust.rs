//! Failures that are about a certificate, found among the causes of an error.

use std::{error::Error as StdError, fmt, io, sync::Arc};

use rustls::{CertificateError, Error};

/// The reason why a certificate is not trusted.
#[derive(Debug, Clone)]
pub struct Distrust(CertificateError);

/// The causes that libraries share among the clones of an error.
type Shared = Arc<dyn StdError + Send + Sync>;

impl Distrust {
    /// Returns the reason among the causes of an error; `None` if it is about something else.
    pub(crate) fn behind(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(Error::InvalidCertificate(flaw)) = error.downcast_ref() {
                return Some(Self(flaw.clone()));
            }
            next = cause(error);
        }
        None
    }
}

/// Returns the cause of an error, also where `source` passes over it and names the cause of that one.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(shared) = error.downcast_ref::<Shared>() {
        return Some(&**shared);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

impl fmt::Display for Distrust {
    #[expect(clippy::wildcard_enum_match_arm, reason = "it is not ours, and grows")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not in force yet, by the clock of this machine"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it was made for another name"
            }
            CertificateError::UnknownIssuer => "no authority that is known here has signed it",
            CertificateError::BadSignature => {
                "the server, or the authority that should have signed it, has another key"
            }
            CertificateError::Revoked => "it was revoked",
            _ => "it is self-signed, or cannot be a server's",
        })
    }
}
