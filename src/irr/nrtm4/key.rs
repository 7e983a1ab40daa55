//! The keys that a source is signed with: points on the curve P-256.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// A `SubjectPublicKeyInfo` (RFC 5480) of P-256 up to the point itself: nothing in it may be otherwise.
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The bytes of a point that is written in full, and the first of them.
const POINT: usize = 65;
const UNCOMPRESSED: u8 = 4;
/// The longest text of a key that is read; one in PEM has 178 characters.
const LONGEST: usize = 4096;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// A public key of P-256. Its text is the base64 of its `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; POINT]);

/// Text that is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no public key of P-256: that is PEM which begins with -----BEGIN PUBLIC KEY-----, or what stands between its first \
     and last line"
)]
pub struct NoPublicKey;

/// The keys of a source. A roll leads on to the next one and never back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The one that signs.
    pub current: PublicKey,
    /// The one that was announced to sign next.
    pub next: Option<PublicKey>,
}

impl PublicKey {
    /// Returns the point, as it is used to verify.
    pub(super) fn point(&self) -> &[u8] {
        &self.0
    }

    /// Takes a point that is written in full.
    pub(super) fn of_point(point: &[u8]) -> Option<Self> {
        let point: [u8; POINT] = point.try_into().ok()?;
        point.starts_with(&[UNCOMPRESSED]).then_some(Self(point))
    }
}

/// Reads PEM, the base64 in it alone, or the base64 of the bare point, with blanks and line ends anywhere.
impl FromStr for PublicKey {
    type Err = NoPublicKey;

    fn from_str(text: &str) -> Result<Self, NoPublicKey> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(NoPublicKey);
        }
        let inner = text.strip_prefix(PEM_BEGIN).and_then(|text| text.strip_suffix(PEM_END)).unwrap_or(text);
        let digits: String = inner.split_whitespace().collect();
        let bytes = STANDARD.decode(digits).map_err(|_| NoPublicKey)?;
        Self::of_point(bytes.strip_prefix(&SPKI_P256).unwrap_or(&bytes)).ok_or(NoPublicKey)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NoPublicKey;

    fn try_from(text: String) -> Result<Self, NoPublicKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([SPKI_P256.as_slice(), &self.0].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Keys {
    /// Begins with the key that a person has set.
    #[must_use]
    pub fn new(current: PublicKey) -> Self {
        Self { current, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of OpenSSL's: `openssl ecparam -genkey -name prime256v1 | openssl ec -pubout`.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE19HVY7fmps2rhhohDuLvi1pGC/u5
ZT0X6Ayj+IwhvzWpA6RmXClwvmWc7j5Yr5Zp5MZtk3RAR0onWW/aKjf/kw==
-----END PUBLIC KEY-----
";

    #[test]
    fn a_key_is_read_with_and_without_its_armour() {
        let key: PublicKey = PEM.parse().unwrap();
        let bare: String = PEM.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(key.to_string(), bare);
        assert_eq!(bare.parse(), Ok(key));
        assert_eq!(PEM.replace('\n', "\r\n").parse(), Ok(key));
        assert_eq!(STANDARD.encode(key.point()).parse(), Ok(key));
        assert_eq!(serde_json::from_str::<PublicKey>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn what_is_no_key_of_the_curve_is_refused() {
        let key: PublicKey = PEM.parse().unwrap();
        let private = PEM.replace("PUBLIC", "PRIVATE");
        let cut = &key.to_string()[..120];
        // An Ed25519 key, a compressed point, and PEM with something behind it.
        let ed25519 = "MCowBQYDK2VwAyEAlBZ9GShvbQEtyyaGs+0Nd4aurH7ERq6UOIvXGb5/tXA=";
        let compressed = STANDARD.encode([&[2], &key.point()[1..33]].concat());
        let more = format!("{PEM}\nmore");
        let long = " A".repeat(LONGEST);
        for text in ["", "<html>", private.as_str(), cut, ed25519, &compressed, &more, &long] {
            assert_eq!(text.parse::<PublicKey>(), Err(NoPublicKey), "{text}");
        }
    }
}
