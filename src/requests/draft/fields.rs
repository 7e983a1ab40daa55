//! What a person sets of a draft, under ARIN's names: `--set city=Montreal`.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// An element of ARIN's documents that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Field {
    NetName,
    CustomerName,
    StreetAddress,
    City,
    Country,
    StateProvince,
    PostalCode,
    PrivateCustomer,
    Comment,
    OrgHandle,
    Reason,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NetName,
        Self::CustomerName,
        Self::StreetAddress,
        Self::City,
        Self::Country,
        Self::StateProvince,
        Self::PostalCode,
        Self::PrivateCustomer,
        Self::Comment,
        Self::OrgHandle,
        Self::Reason,
    ];

    /// Returns ARIN's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NetName => "netName",
            Self::CustomerName => "customerName",
            Self::StreetAddress => "streetAddress",
            Self::City => "city",
            Self::Country => "iso3166-1",
            Self::StateProvince => "iso3166-2",
            Self::PostalCode => "postalCode",
            Self::PrivateCustomer => "privateCustomer",
            Self::Comment => "comment",
            Self::OrgHandle => "orgHandle",
            Self::Reason => "reason",
        }
    }

    /// Returns whether it may have several lines.
    fn has_lines(self) -> bool {
        matches!(self, Self::StreetAddress | Self::Comment | Self::Reason)
    }

    fn may_be_empty(self) -> bool {
        matches!(self, Self::StateProvince | Self::PostalCode | Self::Comment)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsettable {
    /// It is not of the form `FIELD=VALUE`.
    #[error("`{0}` is not of the form FIELD=VALUE, such as city=Montreal")]
    NoValue(String),
    /// There is no such field.
    #[error("`{0}` cannot be set; what can is {all}", all = names(Field::ALL))]
    Unknown(String),
    /// It was set before, and has one value.
    #[error("{0} was set twice")]
    Twice(Field),
    /// The value is of no use.
    #[error("{0} cannot be `{1}`: {2}")]
    Value(Field, String, &'static str),
}

/// What was set, checked as far as one value by itself can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<Field, Vec<String>>);

impl Fields {
    /// Sets a field by its name. Of a field with lines each call adds some, parted by line ends or by `\n` in two characters.
    ///
    /// # Errors
    /// When there is no such field, it was set before, or the value is of no use.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Unsettable> {
        let known = Field::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(name.trim()));
        let field = known.ok_or_else(|| Unsettable::Unknown(name.to_owned()))?;
        let unescaped = if field.has_lines() { value.replace("\\n", "\n") } else { value.to_owned() };
        let lines: Vec<String> = match field.has_lines() {
            true => unescaped.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect(),
            false => vec![unescaped.trim().to_owned()],
        };
        let is_empty = lines.iter().all(String::is_empty);
        let why_not = if is_empty && !field.may_be_empty() {
            Some("it has to have a value")
        } else if lines.iter().any(|line| line.chars().any(|sign| sign.is_control() || is_no_character(sign))) {
            Some("there are control characters in it")
        } else {
            why_not(field, lines.first().map_or("", String::as_str))
        };
        if let Some(why_not) = why_not {
            return Err(Unsettable::Value(field, value.to_owned(), why_not));
        }
        let kept = self.0.entry(field).or_default();
        if !kept.is_empty() && !field.has_lines() {
            return Err(Unsettable::Twice(field));
        }
        kept.extend(lines);
        Ok(())
    }

    /// Returns the fields that are set.
    pub fn names(&self) -> impl Iterator<Item = Field> {
        self.0.keys().copied()
    }

    /// Returns what a field was set to; empty for one that was cleared.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(|lines| lines.first().map_or("", String::as_str))
    }

    /// Returns the lines that a field was set to.
    #[must_use]
    pub fn lines(&self, field: Field) -> Option<&[String]> {
        self.0.get(&field).map(Vec::as_slice)
    }

    /// Returns whether the customer was said to be private, or not to be.
    #[must_use]
    pub fn private(&self) -> Option<bool> {
        self.text(Field::PrivateCustomer).map(|text| text.eq_ignore_ascii_case("true"))
    }
}

impl FromStr for Fields {
    type Err = Unsettable;

    /// Reads one `FIELD=VALUE`.
    fn from_str(text: &str) -> Result<Self, Unsettable> {
        let (name, value) = text.split_once('=').ok_or_else(|| Unsettable::NoValue(text.to_owned()))?;
        let mut fields = Self::default();
        fields.set(name, value).map(|()| fields)
    }
}

/// Returns why a field cannot have this value.
fn why_not(field: Field, text: &str) -> Option<&'static str> {
    match field {
        Field::NetName if !is_net_name(text) => {
            Some("ARIN takes up to 50 letters, digits and hyphens, and no hyphen at the beginning")
        }
        Field::PrivateCustomer if !["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)) => {
            Some("it is true or false")
        }
        Field::Country if !is_country(text) => Some("it is a code of two or three letters, such as CA"),
        Field::NetName
        | Field::PrivateCustomer
        | Field::Country
        | Field::CustomerName
        | Field::StreetAddress
        | Field::City
        | Field::StateProvince
        | Field::PostalCode
        | Field::Comment
        | Field::OrgHandle
        | Field::Reason => None,
    }
}

/// Returns whether a text may be the name of a net, by the strictest reading of all rules.
pub(super) fn is_net_name(text: &str) -> bool {
    let is_fine = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    (1..=50).contains(&text.len()) && text.chars().all(is_fine) && !text.starts_with('-')
}

/// Returns whether a text has the form of a country's code.
pub(super) fn is_country(text: &str) -> bool {
    matches!(text.len(), 2 | 3) && text.chars().all(|sign| sign.is_ascii_alphabetic())
}

/// Returns whether no XML document can have this character.
fn is_no_character(sign: char) -> bool {
    matches!(sign, '\u{fffe}' | '\u{ffff}')
}

/// Writes the names of fields one behind the other.
pub(super) fn names(fields: impl IntoIterator<Item = Field>) -> String {
    fields.into_iter().map(Field::name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(all: &[&str]) -> Result<Fields, Unsettable> {
        let mut fields = Fields::default();
        for text in all {
            let (name, value) = text.split_once('=').unwrap();
            fields.set(name, value)?;
        }
        Ok(fields)
    }

    #[test]
    fn lines_add_up_and_all_else_is_set_once() {
        let fields = set(&[r"streetAddress=1 Main St\nSuite 5", "streetaddress=Dock 4", "comment="]).unwrap();
        assert_eq!(fields.lines(Field::StreetAddress).unwrap(), ["1 Main St", "Suite 5", "Dock 4"]);
        assert_eq!(fields.lines(Field::Comment).map(<[String]>::len), Some(0), "it is to be cleared");
        assert_eq!(fields.lines(Field::Reason), None);
        assert_eq!(set(&["city=A", "city=B"]), Err(Unsettable::Twice(Field::City)));
        assert_eq!(set(&["privateCustomer=TRUE"]).unwrap().private(), Some(true));
    }

    #[test]
    fn what_cannot_be_set_is_refused_and_what_can_is_named() {
        let all = [
            "parentNetHandle=NET-23",
            "city",
            "city= ",
            "netName=WITH SPACE",
            "netName=-A",
            "privateCustomer=perhaps",
            "iso3166-1=Canada",
            "comment=a\u{1}b",
        ];
        let why = all.map(|text| text.parse::<Fields>().unwrap_err().to_string());
        insta::assert_snapshot!(why.join("\n"), @"
        `parentNetHandle` cannot be set; what can is netName, customerName, streetAddress, city, iso3166-1, iso3166-2, postalCode, privateCustomer, comment, orgHandle, reason
        `city` is not of the form FIELD=VALUE, such as city=Montreal
        city cannot be ` `: it has to have a value
        netName cannot be `WITH SPACE`: ARIN takes up to 50 letters, digits and hyphens, and no hyphen at the beginning
        netName cannot be `-A`: ARIN takes up to 50 letters, digits and hyphens, and no hyphen at the beginning
        privateCustomer cannot be `perhaps`: it is true or false
        iso3166-1 cannot be `Canada`: it is a code of two or three letters, such as CA
        comment cannot be `ab`: there are control characters in it
        ");
    }
}
