//! The signatures of NetBox's webhooks.
//!
//! [`WebhookSecrets::claim`] looks at the header alone, so that nobody's body is read who does not even claim to be
//! NetBox; [`WebhookSecrets::verify`] then compares the claim with the body.
//!
//! NetBox never sends a webhook again that was refused. So one that does not fit has the files of the secrets read again:
//! NetBox may have a new secret that the process has not seen yet.

use std::time::Duration;

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use sha2::Sha512;
use tokio::time::Instant;
use tracing::info;

use crate::{
    config::{self, Secret},
    hex,
    http::problem::{Kind, Problem},
};

/// The header with the signature: HMAC-SHA512 of the body in hex.
const HEADER: &str = "x-hook-signature";
/// The number of hex digits of a signature.
const SIGNATURE_DIGITS: usize = 128;
/// The time between looks at the files of the secrets, so that wrong signatures make no more of them than one does.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The word of a request about its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nobody signed it, which is allowed.
    Unsigned,
    /// It has this signature.
    Signed(Vec<u8>),
}

/// The secrets that NetBox may sign with, as they are at each webhook.
#[derive(Debug)]
pub(crate) struct WebhookSecrets {
    secrets: [Secret; 2],
    allow_unsigned: bool,
    /// When a signature that did not fit last had the files read.
    looked: Mutex<Option<Instant>>,
}

impl WebhookSecrets {
    /// Takes the secrets of the settings: the one in use, and the one before it.
    #[must_use]
    pub(crate) fn new(settings: &config::Webhook) -> Self {
        let secrets = [settings.secret.clone(), settings.previous_secret.clone()];
        Self { secrets, allow_unsigned: settings.allow_unsigned, looked: Mutex::new(None) }
    }

    /// Returns what a signature is made with, for each secret that is given.
    fn keys(&self) -> Vec<Hmac<Sha512>> {
        let given = self.secrets.iter().filter(|secret| !secret.is_empty());
        given.filter_map(|secret| Hmac::new_from_slice(secret.now().expose_secret().as_bytes()).ok()).collect()
    }

    /// Returns what the head of a request claims about its body.
    ///
    /// # Errors
    /// When there is no signature, or nothing that could be one, where one is needed.
    pub(crate) fn claim(&self, headers: &HeaderMap) -> Result<Claim, Problem> {
        let header = headers.get(HEADER);
        let none_is_set = self.secrets.iter().all(Secret::is_empty);
        if self.allow_unsigned && (header.is_none() || none_is_set) {
            return Ok(Claim::Unsigned);
        }
        let refused = |detail: &str| Problem::new(Kind::BadSignature, detail);
        if none_is_set {
            return Err(refused("no webhook is taken here, as webhook.secret is not set"));
        }
        let header = header.ok_or_else(|| refused("there is no X-Hook-Signature"))?;
        let mac = Some(header.as_bytes()).filter(|digits| digits.len() == SIGNATURE_DIGITS).and_then(hex::decode);
        mac.map(Claim::Signed).ok_or_else(|| refused("X-Hook-Signature is not made of 128 hex digits"))
    }

    /// Checks a body against what was claimed of it, in a time that does not depend on how much of it is right.
    ///
    /// # Errors
    /// When the signature was not made with one of the secrets.
    pub(crate) fn verify(&self, body: &[u8], claim: &Claim) -> Result<(), Problem> {
        let mac = match claim {
            Claim::Unsigned => return Ok(()),
            Claim::Signed(mac) => mac,
        };
        let versions = self.versions();
        if self.fits(body, mac) || (self.are_newer_than(versions) && self.fits(body, mac)) {
            return Ok(());
        }
        Err(Problem::new(Kind::BadSignature, "X-Hook-Signature is not that of webhook.secret"))
    }

    fn fits(&self, body: &[u8], mac: &[u8]) -> bool {
        let made_with = |mut hmac: Hmac<Sha512>| {
            hmac.update(body);
            hmac.verify_slice(mac).is_ok()
        };
        self.keys().into_iter().any(made_with)
    }

    fn versions(&self) -> [u64; 2] {
        self.secrets.each_ref().map(Secret::version)
    }

    /// Returns whether a secret is another one than those of these versions, after a look at the files unless there was
    /// one just now. A file that cannot be used holds no other.
    fn are_newer_than(&self, versions: [u64; 2]) -> bool {
        if self.may_look() {
            // The one before is read first, so that a secret that moves from one file to the other is always known.
            for secret in self.secrets.iter().rev() {
                if secret.read_again().unwrap_or(false) {
                    info!("the file of a webhook secret has changed; what is in it now is used from now on");
                }
            }
        }
        self.versions() != versions
    }

    fn may_look(&self) -> bool {
        let now = Instant::now();
        let mut looked = self.looked.lock();
        let may = looked.is_none_or(|looked| now.duration_since(looked) >= LOOK_INTERVAL);
        if may {
            *looked = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn signatures(secret: &str, previous: &str, allow_unsigned: bool) -> WebhookSecrets {
        WebhookSecrets::new(&config::Webhook {
            secret: secret.into(),
            secret_file: None,
            previous_secret: previous.into(),
            previous_secret_file: None,
            allow_unsigned,
            debounce: Duration::ZERO,
            debounce_longest: Duration::ZERO,
        })
    }

    /// Looks at the head and then at the body, as a request is looked at.
    fn check(secrets: &WebhookSecrets, body: &[u8], signature: Option<&str>) -> Result<(), Problem> {
        let header = signature.map(|text| (HEADER.parse().unwrap(), text.parse().unwrap()));
        secrets.verify(body, &secrets.claim(&header.into_iter().collect())?)
    }

    fn signed(secret: &str, body: &[u8]) -> String {
        let mut hmac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
        hmac.update(body);
        hex::encode(&hmac.finalize().into_bytes())
    }

    #[test]
    fn a_known_signature_is_right() {
        // RFC 4231, test case 2.
        let mac = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        let body = b"what do ya want for nothing?";
        assert_eq!(check(&signatures("Jefe", "", false), body, Some(mac)), Ok(()));
    }

    #[test]
    fn one_of_two_secrets_will_do() {
        let both = signatures("new-secret", "old-secret", false);
        for secret in ["new-secret", "old-secret"] {
            assert!(check(&both, b"x", Some(&signed(secret, b"x"))).is_ok(), "{secret}");
        }
        assert!(check(&both, b"x", Some(&signed("other", b"x"))).is_err());
        assert!(check(&both, b"y", Some(&signed("new-secret", b"x"))).is_err());
    }

    /// Secrets of which one is in a file.
    fn in_file(path: &std::path::Path) -> config::Webhook {
        let set = [
            ("NETBOX__URL", "http://netbox.test/"),
            ("NETBOX__TOKEN", "t"),
            ("WEBHOOK__SECRET_FILE", path.to_str().unwrap()),
        ];
        let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
        config::load_from(None, &set.into()).unwrap().webhook
    }

    #[test]
    fn a_secret_that_is_changed_in_its_file_signs_from_then_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |secret: &str| std::fs::write(file.path(), secret).unwrap();
        write("the-secret-of-before");
        let settings = in_file(file.path());
        let secrets = WebhookSecrets::new(&settings);
        let is_signed = |secret: &str| check(&secrets, b"x", Some(&signed(secret, b"x"))).is_ok();
        assert!(is_signed("the-secret-of-before") && !is_signed("the-secret-of-now"));
        write("the-secret-of-now");
        settings.secret.read_again().unwrap();
        assert!(!is_signed("the-secret-of-before") && is_signed("the-secret-of-now"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_signature_that_does_not_fit_has_the_file_read_again_once_a_second() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |secret: &str| std::fs::write(file.path(), secret).unwrap();
        write("the-first-secret");
        let secrets = WebhookSecrets::new(&in_file(file.path()));
        let is_signed = |secret: &str| check(&secrets, b"x", Some(&signed(secret, b"x"))).is_ok();
        write("the-second-secret");
        assert!(is_signed("the-first-secret"), "it fits, so that nobody looks");
        assert!(is_signed("the-second-secret"));
        assert!(!is_signed("the-first-secret"));
        write("the-third-secret");
        assert!(!is_signed("the-third-secret"), "somebody looked just now");
        tokio::time::advance(LOOK_INTERVAL).await;
        assert!(is_signed("the-third-secret"));
    }

    #[test]
    fn what_is_missing_cut_or_no_hex_is_refused_by_the_head_alone() {
        let ours = signatures("secret", "", false);
        let good = signed("secret", b"x");
        for bad in [Some(""), Some(&good[..127]), Some(&good[..64]), Some(&*"z".repeat(128)), Some("zz"), None] {
            let header = bad.map(|text| (HEADER.parse().unwrap(), text.parse().unwrap()));
            assert!(ours.claim(&header.into_iter().collect()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        assert!(check(&signatures("", "", false), b"x", Some(&signed("", b"x"))).is_err());
    }

    #[test]
    fn unsigned_ones_are_taken_when_allowed_but_wrong_ones_are_not() {
        assert!(check(&signatures("secret", "", true), b"x", None).is_ok());
        for wrong in ["00", &"0".repeat(128)] {
            assert!(check(&signatures("secret", "", true), b"x", Some(wrong)).is_err());
            assert!(check(&signatures("", "", true), b"x", Some(wrong)).is_ok());
        }
    }
}
