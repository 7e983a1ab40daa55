//! What a registry has on record, as plain data keyed by handle.
//!
//! Handles are held in upper case; the maps and the methods that take a handle want it so. A [`Registry`] does not check
//! itself: tests may make it as contradictory as they like by editing the maps.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use jiff::civil::DateTime;

/// All records of a registry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry {
    /// Organizations by handle.
    pub orgs: BTreeMap<String, Org>,
    /// Points of contact by handle.
    pub pocs: BTreeMap<String, Poc>,
    /// Customers by handle.
    pub customers: BTreeMap<String, Customer>,
    /// Nets by handle. Ranges must nest or be disjoint, as they do at ARIN: overlapping siblings confuse look-ups.
    pub nets: BTreeMap<String, Net>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Org {
    /// Its handle.
    pub handle: String,
    /// Legal name.
    pub name: String,
    /// Name it does business as.
    pub dba_name: Option<String>,
    /// Its web page.
    pub url: Option<String>,
    /// Postal address.
    pub address: Option<Address>,
    /// Moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    /// Public comment.
    pub comment: Vec<String>,
    /// Points of contact; one link for each function.
    pub pocs: Vec<PocLink>,
}

/// What one point of contact does for an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PocLink {
    /// Handle of the point of contact.
    pub handle: String,
    /// Code of the function: `AD`, `T`, `AB`, `N`, `R`, `D`.
    pub function: String,
}

/// Whether a point of contact is a person or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactType {
    /// A person.
    Person,
    /// A role: no first name, and the role's name for a last name.
    Role,
}

/// A point of contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Poc {
    /// Its handle.
    pub handle: String,
    /// Person or role.
    pub contact_type: ContactType,
    /// Company it belongs to.
    pub company_name: Option<String>,
    /// First name; roles have none.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name, or the name of the role.
    pub last_name: Option<String>,
    /// Mail addresses.
    pub emails: Vec<String>,
    /// Phone numbers.
    pub phones: Vec<Phone>,
    /// Postal address.
    pub address: Option<Address>,
    /// Moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    /// Public comment.
    pub comment: Vec<String>,
}

/// A phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Code of the kind: `O` office, `F` fax, `M` mobile.
    pub kind: String,
    /// The number.
    pub number: String,
    /// The extension.
    pub extension: Option<String>,
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// Handle of the organization whose net it got.
    pub parent_org: Option<String>,
    /// Whether its street address is hidden.
    pub private: Option<bool>,
    /// Postal address.
    pub address: Option<Address>,
    /// Moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    /// Public comment.
    pub comment: Vec<String>,
}

/// A net.
#[derive(Debug, Clone, PartialEq)]
pub struct Net {
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// Code of how it was given out: `DA`, `A`, `S`, `AR` and others.
    pub net_type: String,
    /// The blocks that make up its range, in address order, without gaps; several when the range is not one CIDR.
    pub blocks: Vec<IpNet>,
    /// Handle of the net it was cut from.
    pub parent: Option<String>,
    /// Who holds it.
    pub holder: Holder,
    /// Moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    /// Public comment.
    pub comment: Vec<String>,
}

impl Net {
    /// First and last address over all blocks; `None` for a net without blocks.
    #[must_use]
    pub fn range(&self) -> Option<(IpAddr, IpAddr)> {
        let first = self.blocks.iter().map(IpNet::network).min()?;
        let last = self.blocks.iter().map(IpNet::broadcast).max()?;
        Some((first, last))
    }
}

/// Who holds a net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An organization, by handle.
    Org(String),
    /// A customer, by handle.
    Customer(String),
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Street lines.
    pub street: Vec<String>,
    /// City.
    pub city: Option<String>,
    /// State or province, `VA`.
    pub state_province: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country: Country,
}

/// A country, as ISO 3166-1 and E.164 number it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Name in capitals.
    pub name: &'static str,
    /// Two-letter code.
    pub code2: &'static str,
    /// Three-letter code.
    pub code3: &'static str,
    /// Calling code.
    pub e164: u16,
}

impl Country {
    /// United States.
    pub const US: Self = Self { name: "UNITED STATES", code2: "US", code3: "USA", e164: 1 };
    /// Canada.
    pub const CA: Self = Self { name: "CANADA", code2: "CA", code3: "CAN", e164: 1 };
    /// Barbados.
    pub const BB: Self = Self { name: "BARBADOS", code2: "BB", code3: "BRB", e164: 1246 };
    /// Germany.
    pub const DE: Self = Self { name: "GERMANY", code2: "DE", code3: "DEU", e164: 49 };
}

/// A handle that the registry has no record of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the registry has no {kind} {handle}")]
pub struct UnknownHandle {
    /// What was looked for: `org`, `poc`, `customer` or `net`.
    pub kind: &'static str,
    /// The handle.
    pub handle: String,
}
