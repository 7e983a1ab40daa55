//! The check of the certificate that a server presents.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Takes what WebPKI takes, and the named certificates as they are while they are in force. A client speaks with one
/// system and its proxy only, so that a certificate named for it is good wherever it connects to.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) usual: Arc<WebPkiServerVerifier>,
    pub(super) named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(flaw)) if !is_about_time(&flaw) && self.named.contains(end_entity) => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Returns whether the certificate is not in force. WebPKI looks at that before everything else.
fn is_about_time(flaw: &CertificateError) -> bool {
    matches!(
        flaw,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use rustls::RootCertStore;

    use super::*;
    use crate::tls::{Distrust, certificates, choose_provider};

    /// A moment while the certificates are in force, and one day.
    const IN_FORCE: u64 = 1_798_761_600;
    const DAY: u64 = 24 * 3600;

    /// The certificate of NetBox's install guide, and another one that was made in the same way.
    fn certificate(name: &str) -> CertificateDer<'static> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        certificates(&folder.join(name)).unwrap().remove(0)
    }

    /// What comes of the guide's certificate where this one is named.
    fn verdict(named: &str, now: u64) -> String {
        choose_provider();
        let named = certificate(named);
        let mut authorities = RootCertStore::empty();
        authorities.add(named.clone()).unwrap();
        let usual = WebPkiServerVerifier::builder(Arc::new(authorities)).build().unwrap();
        let verifier = Verifier { usual, named: vec![named] };
        let (name, now) =
            (ServerName::try_from("10.0.0.7").unwrap(), UnixTime::since_unix_epoch(Duration::from_secs(now)));
        match verifier.verify_server_cert(&certificate("guide.pem"), &[], &name, &[], now) {
            Ok(_) => "good".to_owned(),
            Err(error) => Distrust::behind(&error).unwrap().to_string(),
        }
    }

    #[test]
    fn a_certificate_that_is_named_is_good_as_it_is_while_it_is_in_force() {
        assert_eq!(verdict("guide.pem", IN_FORCE), "good");
        insta::assert_snapshot!(verdict("guide.pem", IN_FORCE - 365 * DAY), @"it is not in force yet, by the clock of this machine");
        insta::assert_snapshot!(verdict("guide.pem", IN_FORCE + 365 * DAY), @"it has expired");
    }

    #[test]
    fn another_certificate_of_the_same_name_is_not_good() {
        insta::assert_snapshot!(verdict("other.pem", IN_FORCE), @"it is self-signed, or cannot be a server's");
    }
}
