//! The number of an autonomous system.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The number of an autonomous system (RFC 6793: 32 bits), written as `AS64496` (RFC 5396, asplain).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Asn(pub u32);

/// Text that is no number of an autonomous system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an AS is written as AS64496; {0:?} is none")]
pub struct NoAsn(String);

impl FromStr for Asn {
    type Err = NoAsn;

    fn from_str(text: &str) -> Result<Self, NoAsn> {
        let no_asn = || NoAsn(text.chars().take(20).collect());
        let (named, digits) = text.split_at_checked(2).ok_or_else(no_asn)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| is_number && named.eq_ignore_ascii_case("AS"));
        number.map(Self).ok_or_else(no_asn)
    }
}

impl TryFrom<String> for Asn {
    type Error = NoAsn;

    fn try_from(text: String) -> Result<Self, NoAsn> {
        text.parse()
    }
}

impl From<Asn> for String {
    fn from(asn: Asn) -> Self {
        asn.to_string()
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_as_is_written_in_one_way() {
        let told = |text: &str| text.parse::<Asn>().map_or_else(|error| error.to_string(), |asn| asn.to_string());
        let texts = ["AS64496", "as0", "AS4294967295", "AS4294967296", "64496", "AS", "AS+1", "AS1.10", "", "Ä1"];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r#"
        AS64496
        AS0
        AS4294967295
        an AS is written as AS64496; "AS4294967296" is none
        an AS is written as AS64496; "64496" is none
        an AS is written as AS64496; "AS" is none
        an AS is written as AS64496; "AS+1" is none
        an AS is written as AS64496; "AS1.10" is none
        an AS is written as AS64496; "" is none
        an AS is written as AS64496; "Ä1" is none
        "#);
    }
}
