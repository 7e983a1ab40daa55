//! Postal addresses as ARIN asks for them.

use std::fmt;

use crate::model::Address;

/// Countries whose addresses need a state and a postal code at ARIN.
const WITH_STATES: [&str; 4] = ["US", "USA", "CA", "CAN"];

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Part {
    Street,
    City,
    Country,
    StateProvince,
    PostalCode,
}

impl Part {
    /// Returns ARIN's name of the element.
    #[must_use]
    pub fn element(self) -> &'static str {
        match self {
            Self::Street => "streetAddress",
            Self::City => "city",
            Self::Country => "iso3166-1",
            Self::StateProvince => "iso3166-2",
            Self::PostalCode => "postalCode",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Street => "street",
            Self::City => "city",
            Self::Country => "country",
            Self::StateProvince => "state or province",
            Self::PostalCode => "postal code",
        })
    }
}

/// Returns the parts that ARIN asks for and an address does not have.
#[must_use]
pub fn lacks(address: &Address) -> Vec<Part> {
    let is_empty = |part: &Option<String>| part.as_deref().is_none_or(|part| part.trim().is_empty());
    let mut lacking = Vec::new();
    if address.street.iter().all(|line| line.trim().is_empty()) {
        lacking.push(Part::Street);
    }
    if is_empty(&address.city) {
        lacking.push(Part::City);
    }
    if is_empty(&address.country) {
        lacking.push(Part::Country);
    }
    let country = address.country.as_deref().unwrap_or_default().trim().to_ascii_uppercase();
    if WITH_STATES.contains(&country.as_str()) {
        let parts = [(&address.state_province, Part::StateProvince), (&address.postal_code, Part::PostalCode)];
        lacking.extend(parts.into_iter().filter(|(text, _)| is_empty(text)).map(|(_, part)| part));
    }
    lacking
}
