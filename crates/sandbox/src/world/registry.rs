//! The records of a registry, as plain data keyed by handle.
//!
//! Handles are held in upper case; the maps and the methods that take a handle want it so. A [`Registry`] does not
//! check itself: tests may make it as contradictory as they like by editing the maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use jiff::civil::{DateTime, date};

/// All records of a registry.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Registry {
    pub orgs: BTreeMap<String, Org>,
    pub pocs: BTreeMap<String, Poc>,
    pub customers: BTreeMap<String, Customer>,
    /// Nets by handle. Ranges must nest or be disjoint, as they do at ARIN: overlapping siblings confuse look-ups.
    pub nets: BTreeMap<String, Net>,
    /// Reverse DNS delegations by the handle of their net. They go with it.
    pub delegations: BTreeMap<String, Vec<Delegation>>,
    /// Route objects of ARIN's IRR. They stay when a net goes.
    pub routes: Vec<Route>,
    /// What a removed net was called, by its range: the next one of that range has the same handle.
    pub former_nets: BTreeMap<(IpAddr, IpAddr), FormerNet>,
    /// The handles of removed customers, which no other one gets.
    pub former_customers: BTreeSet<String>,
    /// The moment of the next change, in ARIN's local time. Each change of a net moves it on by a second; nothing else
    /// does.
    pub now: DateTime,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            orgs: BTreeMap::new(),
            pocs: BTreeMap::new(),
            customers: BTreeMap::new(),
            nets: BTreeMap::new(),
            delegations: BTreeMap::new(),
            routes: Vec::new(),
            former_nets: BTreeMap::new(),
            former_customers: BTreeSet::new(),
            now: date(2026, 9, 1).at(9, 0, 0, 0),
        }
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Org {
    pub handle: String,
    pub name: String,
    pub dba_name: Option<String>,
    pub url: Option<String>,
    pub address: Option<Address>,
    /// The moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    pub comment: Vec<String>,
    /// Points of contact; one link for each function.
    pub pocs: Vec<PocLink>,
    /// Whether others may reassign nets to it; a document that says nothing of it leaves it out.
    pub accepts_reassignments: Option<bool>,
}

/// A function that a point of contact has for an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PocLink {
    /// Handle of the point of contact.
    pub handle: String,
    /// Code of the function: `AD`, `T`, `AB`, `N`, `R`, `D`.
    pub function: String,
}

/// The kind of a point of contact: a person or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub enum ContactType {
    Person,
    /// A role: no first name, and the role's name for a last name.
    Role,
}

/// A point of contact.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Poc {
    pub handle: String,
    pub contact_type: ContactType,
    pub company_name: Option<String>,
    /// First name; roles have none.
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    /// Last name, or the name of the role.
    pub last_name: Option<String>,
    pub emails: Vec<String>,
    pub phones: Vec<Phone>,
    pub address: Option<Address>,
    /// The moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    pub comment: Vec<String>,
}

/// A phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Phone {
    /// Code of the kind: `O` office, `F` fax, `M` mobile.
    pub kind: String,
    pub number: String,
    pub extension: Option<String>,
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Customer {
    pub handle: String,
    pub name: String,
    /// Handle of the organization whose net it got.
    pub parent_org: Option<String>,
    /// True if its street address is hidden.
    pub private: Option<bool>,
    pub address: Option<Address>,
    /// The moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    pub comment: Vec<String>,
}

/// A net.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Net {
    pub handle: String,
    pub name: String,
    /// Code of the way it was given out: `DA`, `A`, `S`, `AR` and others.
    pub net_type: String,
    /// The blocks that make up its range, in address order, without gaps; several when the range is not one CIDR.
    pub blocks: Vec<IpNet>,
    /// Handle of the net it was cut from.
    pub parent: Option<String>,
    pub holder: Holder,
    /// The moment of registration, in ARIN's local time.
    pub registered: Option<DateTime>,
    /// The moment of the last change, in ARIN's local time; midnight where only the day is known. A change of its
    /// holder is none of the net.
    pub updated: Option<DateTime>,
    pub comment: Vec<String>,
    /// Points of contact of its own: `T`, `AB`, `N`.
    pub pocs: Vec<PocLink>,
}

impl Net {
    /// Returns the first and last address over all blocks; `None` for a net without blocks.
    #[must_use]
    pub fn range(&self) -> Option<(IpAddr, IpAddr)> {
        let first = self.blocks.iter().map(IpNet::network).min()?;
        let last = self.blocks.iter().map(IpNet::broadcast).max()?;
        Some((first, last))
    }
}

/// The holder of a net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An organization, by handle.
    Org(String),
    /// A customer, by handle.
    Customer(String),
}

/// What is left of a net that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct FormerNet {
    pub handle: String,
    pub registered: Option<DateTime>,
}

/// The delegation of a zone of the reverse DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Delegation {
    /// Name of the zone, `1.144.23.in-addr.arpa.`.
    pub name: String,
    pub nameservers: Vec<String>,
    pub keys: Vec<DelegationKey>,
}

/// A DS record of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct DelegationKey {
    pub algorithm: u8,
    pub digest_type: u8,
    pub digest: String,
    pub key_tag: u16,
}

/// A route object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Route {
    pub prefix: IpNet,
    pub origin: u32,
    /// Handle of the organization that it belongs to.
    pub org: String,
    /// Handle of the ROA that it was made by, if one was.
    pub roa: Option<String>,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Address {
    pub street: Vec<String>,
    pub city: Option<String>,
    /// State or province, `VA`.
    pub state_province: Option<String>,
    pub postal_code: Option<String>,
    /// Country.
    pub country: Country,
}

/// A country, as ISO 3166-1 and E.164 number it. A name that is empty and a number that is 0 are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct Country {
    pub name: &'static str,
    pub code2: &'static str,
    pub code3: &'static str,
    pub e164: u16,
}

#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
impl Country {
    pub const US: Self = Self { name: "UNITED STATES", code2: "US", code3: "USA", e164: 1 };
    pub const CA: Self = Self { name: "CANADA", code2: "CA", code3: "CAN", e164: 1 };
    pub const BB: Self = Self { name: "BARBADOS", code2: "BB", code3: "BRB", e164: 1246 };
    pub const DE: Self = Self { name: "GERMANY", code2: "DE", code3: "DEU", e164: 49 };
}

/// A handle that the registry has no record of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the registry has no {kind} {handle}")]
#[expect(missing_docs, reason = "ARIN's documents say what the fields are")]
pub struct UnknownHandle {
    /// The kind of record that was looked for: `org`, `poc`, `customer` or `net`.
    pub kind: &'static str,
    pub handle: String,
}
