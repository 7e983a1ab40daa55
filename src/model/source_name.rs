//! The name of a routing registry's source.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of a source such as `RADB`: upper case letters, digits, hyphens and underscores, a letter first, no more than 32.
///
/// RFC 2622, section 2, gives the form of names; registries compare them without case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(Arc<str>);

/// Text that is no name of a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; {0:?} is no such name"
)]
pub struct NoSourceName(String);

impl SourceName {
    /// The longest one.
    const LONGEST: usize = 32;

    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether text names this source, however it is written.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }
}

impl FromStr for SourceName {
    type Err = NoSourceName;

    fn from_str(text: &str) -> Result<Self, NoSourceName> {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        let begins = text.bytes().next().is_some_and(|letter| letter.is_ascii_alphabetic());
        if begins && text.len() <= Self::LONGEST && text.bytes().all(fits) {
            Ok(Self(text.to_ascii_uppercase().into()))
        } else {
            Err(NoSourceName(text.chars().take(Self::LONGEST).collect()))
        }
    }
}

impl TryFrom<String> for SourceName {
    type Error = NoSourceName;

    fn try_from(text: String) -> Result<Self, NoSourceName> {
        text.parse()
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_upper_case_and_short() {
        let told =
            |text: &str| text.parse::<SourceName>().map_or_else(|error| error.to_string(), |name| name.to_string());
        insta::assert_snapshot!(["radb", "RIPE-NONAUTH", "a_1", "", "1A", "A B", "A\n", "Ä"].map(told).join("\n"), @r#"
        RADB
        RIPE-NONAUTH
        A_1
        a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; "" is no such name
        a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; "1A" is no such name
        a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; "A B" is no such name
        a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; "A\n" is no such name
        a source is called by a letter and then letters, digits, `-` or `_`, 32 in all at the most; "Ä" is no such name
        "#);
        assert!("RADB".parse::<SourceName>().unwrap().is("Radb"));
        assert!("A".repeat(33).parse::<SourceName>().is_err());
    }
}
