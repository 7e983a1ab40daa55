//! The signatures of NetBox's webhooks.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha512;

use crate::{
    config, hex,
    http::problem::{Kind, Problem},
};

/// The header with the signature: HMAC-SHA512 of the body in hex.
pub(crate) const HEADER: &str = "x-hook-signature";

/// The secrets that NetBox may sign with.
#[derive(Debug, Clone)]
pub(crate) struct WebhookSecrets {
    keys: Vec<Hmac<Sha512>>,
    allow_unsigned: bool,
}

impl WebhookSecrets {
    /// Takes the secrets of the settings: the one in use, and the one before it.
    #[must_use]
    pub(crate) fn new(settings: &config::Webhook) -> Self {
        let given = |secret: &&SecretString| !secret.expose_secret().is_empty();
        let key = |secret: &SecretString| Hmac::new_from_slice(secret.expose_secret().as_bytes()).ok();
        let secrets = [&settings.secret, &settings.previous_secret];
        Self {
            keys: secrets.into_iter().filter(given).filter_map(key).collect(),
            allow_unsigned: settings.allow_unsigned,
        }
    }

    /// Checks a body against its signature, in a time that does not depend on how much of it is right.
    ///
    /// # Errors
    /// When the signature was not made with one of the secrets, or is missing where one is needed.
    pub(crate) fn verify(&self, body: &[u8], signature: Option<&[u8]>) -> Result<(), Problem> {
        let refused = |detail: &str| Err(Problem::new(Kind::BadSignature, detail));
        let Some(signature) = signature else {
            return if self.allow_unsigned { Ok(()) } else { refused("there is no X-Hook-Signature") };
        };
        if self.keys.is_empty() && self.allow_unsigned {
            return Ok(());
        }
        // An empty one is nobody's.
        let mac = hex::decode(signature).unwrap_or_default();
        let made_with = |key: &Hmac<Sha512>| {
            let mut hmac = key.clone();
            hmac.update(body);
            hmac.verify_slice(&mac).is_ok()
        };
        if self.keys.iter().any(made_with) { Ok(()) } else { refused("X-Hook-Signature is not that of webhook.secret") }
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
        assert_eq!(signatures("Jefe", "", false).verify(body, Some(mac.as_bytes())), Ok(()));
    }

    #[test]
    fn one_of_two_secrets_will_do() {
        let both = signatures("new-secret", "old-secret", false);
        for secret in ["new-secret", "old-secret"] {
            assert!(both.verify(b"x", Some(signed(secret, b"x").as_bytes())).is_ok(), "{secret}");
        }
        assert!(both.verify(b"x", Some(signed("other", b"x").as_bytes())).is_err());
        assert!(both.verify(b"y", Some(signed("new-secret", b"x").as_bytes())).is_err());
    }

    #[test]
    fn what_is_missing_cut_or_no_hex_is_wrong() {
        let ours = signatures("secret", "", false);
        let good = signed("secret", b"x");
        for bad in [Some(""), Some(&good[..127]), Some(&good[..64]), Some("zz"), None] {
            assert!(ours.verify(b"x", bad.map(str::as_bytes)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        assert!(signatures("", "", false).verify(b"x", Some(signed("", b"x").as_bytes())).is_err());
    }

    #[test]
    fn unsigned_ones_are_taken_when_allowed_but_wrong_ones_are_not() {
        assert!(signatures("secret", "", true).verify(b"x", None).is_ok());
        assert!(signatures("secret", "", true).verify(b"x", Some(b"00")).is_err());
        assert!(signatures("", "", true).verify(b"x", Some(b"00")).is_ok());
    }
}
