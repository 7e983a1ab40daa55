//! The digest of a plan, by which a person approves it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// The word before the digits.
const ALGORITHM: &str = "sha256-";
/// The number of hex digits.
const DIGITS: usize = 64;

/// The digest of everything that a plan would write: `sha256-` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(
    value_type = String,
    pattern = "^sha256-[0-9a-f]{64}$",
    example = "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)]
pub struct PlanDigest(String);

impl PlanDigest {
    /// Makes the digest of a SHA-256 in lower-case hex digits.
    #[must_use]
    pub fn of_sha256(digits: &str) -> Self {
        Self(format!("{ALGORITHM}{digits}"))
    }

    /// Reads a digest that somebody sent; `None` for text that cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(ALGORITHM)?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digits.len() == DIGITS && digits.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// Returns the digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlanDigest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a plan's digest is `sha256-` and 64 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_what_is_shown_and_from_nothing_else() {
        let digest = PlanDigest::of_sha256(&"0a".repeat(32));
        assert_eq!(PlanDigest::parse(digest.as_str()), Some(digest.clone()));
        let digits = "0a".repeat(32);
        for odd in ["", "sha256-", &digits, &format!("sha256-{digits}0"), &format!("SHA256-{digits}")] {
            assert_eq!(PlanDigest::parse(odd), None, "{odd}");
        }
        assert_eq!(PlanDigest::parse(&format!("sha256-{}", digits.to_uppercase())), None);
    }
}
