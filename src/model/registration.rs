//! The registrations at the RIR: organizations, contacts, nets and customers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};

use super::{
    CustomerHandle, Key, NetBlock, NetHandle, OrgHandle, Payload, PocHandle,
    inventory::{ObjectType, RowId},
};

/// All that one run has learnt from the RIR so far.
///
/// Absence is listed only where the RIR itself said so; what could not be asked is in no list here.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Registration {
    pub orgs: BTreeMap<OrgHandle, Org>,
    pub pocs: BTreeMap<PocHandle, Poc>,
    /// The functions of each point of contact for the config's organization; `None` when they were not asked.
    pub functions: Option<BTreeMap<PocHandle, BTreeSet<PocFunction>>>,
    pub customers: BTreeMap<CustomerHandle, Customer>,
    /// Nets found; see [`Registration::add_net`].
    pub nets: BTreeMap<NetHandle, Net>,
    /// The nets that each customer holds.
    pub nets_of: BTreeMap<CustomerHandle, BTreeSet<NetHandle>>,
    /// The net that answers for an aggregate; `None` for an aggregate without one.
    pub aggregates: BTreeMap<RowId, Option<NetHandle>>,
    /// Organizations, contacts and customers that were not asked for, because nothing speaks for a change: they are as
    /// recorded. One that was asked for as well is as it was answered.
    pub as_recorded: BTreeSet<(ObjectType, Key)>,
    /// The nets that the RIR's public listing has in the aggregates. It may be behind: it never says what is not there.
    pub listed: BTreeMap<NetHandle, ListedNet>,
    /// The recorded objects that the RIR says it does not have.
    pub gone: BTreeSet<(ObjectType, Key)>,
}

impl Registration {
    /// Adds a net, also to those of the customer that holds it.
    pub fn add_net(&mut self, net: Net) {
        if let Some(customer) = net.customer() {
            self.nets_of.entry(customer.clone()).or_default().insert(net.handle.clone());
        }
        self.nets.insert(net.handle.clone(), net);
    }
}

/// An organization (`org` payload).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Org {
    pub handle: OrgHandle,
    pub name: String,
    /// Name it does business as.
    pub dba_name: Option<String>,
    /// Its web page, or that of its referral server, as ARIN has it; not checked.
    pub url: Option<String>,
    pub address: Option<Address>,
    pub registration_date: Option<Date>,
    /// Its points of contact, each with all its functions.
    pub pocs: BTreeMap<PocHandle, BTreeSet<PocFunction>>,
    /// Whether others may reassign nets to it; `None` when ARIN did not say.
    pub accepts_reassignments: Option<bool>,
    /// The payload as received.
    pub raw: Payload,
}

/// A function of a point of contact for an organization (`pocLinkRef@function`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PocFunction {
    /// `AD`
    Admin,
    /// `T`
    Tech,
    /// `AB`
    Abuse,
    /// `N`
    Noc,
    /// `R`
    Routing,
    /// `D`
    Dns,
    /// A code not known here, as ARIN wrote it.
    Other(String),
}

/// The type of a point of contact: a person or a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PocType {
    /// `PERSON`
    Person,
    /// `ROLE`
    Role,
    /// A type not known here, as ARIN wrote it.
    Other(String),
}

/// A point of contact (`poc` payload).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Poc {
    pub handle: PocHandle,
    /// Person or role; `None` when ARIN did not say.
    pub kind: Option<PocType>,
    /// Company it belongs to.
    pub company_name: Option<String>,
    /// First name; roles have none.
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    /// Last name, or the name of the role.
    pub last_name: Option<String>,
    /// Mail addresses in ARIN's order.
    pub emails: Vec<String>,
    /// Phone numbers in ARIN's order, each with its extension (`+1.703.555.0100 x12`).
    pub phones: Vec<String>,
    pub address: Option<Address>,
    pub registration_date: Option<Date>,
    /// The payload as received.
    pub raw: Payload,
}

/// A customer that a net is reassigned to without an organization of its own (`customer` payload).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Customer {
    pub handle: CustomerHandle,
    pub name: String,
    /// The organization whose net it got.
    pub parent_org: Option<OrgHandle>,
    /// True if ARIN hides its street address; `None` when ARIN did not say.
    pub private: Option<bool>,
    pub address: Option<Address>,
    pub registration_date: Option<Date>,
    /// The payload as received.
    pub raw: Payload,
}

/// A registered net (`net` payload).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Net {
    pub handle: NetHandle,
    pub name: String,
    /// The way in which it was given out, by the type of its first block; `None` when ARIN did not say.
    pub kind: Option<NetType>,
    /// The blocks that make up its range, in address order; never empty.
    pub blocks: Vec<NetBlock>,
    /// The net it was cut from.
    pub parent: Option<NetHandle>,
    pub holder: Option<Holder>,
    pub registration_date: Option<Date>,
    /// The payload as received.
    pub raw: Payload,
}

impl Net {
    /// Returns the whole range, first to last address over all blocks; `None` only if the blocks mix address families.
    #[must_use]
    pub fn range(&self) -> Option<NetBlock> {
        NetBlock::spanning(&self.blocks)
    }

    /// Returns the CIDR prefixes of its blocks, in address order.
    #[must_use]
    pub fn prefixes(&self) -> Vec<IpNet> {
        self.blocks.iter().flat_map(NetBlock::prefixes).collect()
    }

    /// Returns the registry that has it, if no organization does.
    #[must_use]
    pub fn registry(&self) -> Option<Registry> {
        self.kind.as_ref().and_then(NetType::registry)
    }

    /// Returns the organization that holds it directly.
    #[must_use]
    pub fn org(&self) -> Option<&OrgHandle> {
        match &self.holder {
            Some(Holder::Org(org)) => Some(org),
            Some(Holder::Customer(_)) | None => None,
        }
    }

    /// Returns the customer that holds it.
    #[must_use]
    pub fn customer(&self) -> Option<&CustomerHandle> {
        match &self.holder {
            Some(Holder::Customer(customer)) => Some(customer),
            Some(Holder::Org(_)) | None => None,
        }
    }
}

/// A net in ARIN's public listing (`net` payload of Whois-RWS).
///
/// The listing may only spare questions. What it tells is ten minutes old, and never says that something is absent. Its names
/// in JSON are short, as there may be thousands of them in a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct ListedNet {
    #[serde(rename = "h")]
    pub handle: NetHandle,
    #[serde(rename = "n")]
    pub name: String,
    /// The way in which it was given out, by the type of its first block; `None` when the listing did not say.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetType>,
    /// The blocks that make up its range, in address order; never empty.
    #[serde(rename = "b")]
    pub blocks: Vec<NetBlock>,
    /// The net it was cut from.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NetHandle>,
    #[serde(flatten)]
    pub holder: Option<Holder>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub registration_date: Option<Date>,
    /// The time at which it was last changed; `None` when the listing did not say.
    #[serde(skip)]
    pub updated: Option<Updated>,
}

/// The time at which a net was last changed (`updateDate`, which Reg-RWS does not have).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Updated {
    /// The time.
    pub at: Timestamp,
    /// Only the day is known: the time is midnight where the listing is written, as in old records.
    pub to_the_day: bool,
}

impl ListedNet {
    /// Returns the whole range, first to last address over all blocks; `None` only if the blocks mix address families.
    #[must_use]
    pub fn range(&self) -> Option<NetBlock> {
        NetBlock::spanning(&self.blocks)
    }
}

/// The holder of a net: an organization or a customer, never both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Holder {
    /// `orgHandle`
    #[serde(rename = "o")]
    Org(OrgHandle),
    /// `customerHandle`
    #[serde(rename = "c")]
    Customer(CustomerHandle),
}

/// The way in which a net was given out (`netBlock/type`; Reg-RWS, net payload).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub enum NetType {
    /// `DA`: allocated by ARIN to an organization that may give out parts of it.
    DirectAllocation,
    /// `A`: reallocated by its holder; may have children.
    Reallocated,
    /// `S`: reassigned by its holder; can have no children.
    Reassigned,
    /// `AR`, `AV`, `IR`, `IU` and the codes of other registries: held by a registry, not by an organization.
    Registry(String),
    /// A code not known here, as ARIN wrote it.
    Other(String),
}

/// A registry that gives out space, and holds what no organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Registry {
    Afrinic,
    Apnic,
    Arin,
    Iana,
    Lacnic,
    RipeNcc,
}

/// The codes of space in the hands of a registry: allocated, registered early, transferred.
const REGISTRIES: [(&str, Registry); 15] = [
    ("AF", Registry::Afrinic),
    ("FX", Registry::Afrinic),
    ("AP", Registry::Apnic),
    ("PV", Registry::Apnic),
    ("PX", Registry::Apnic),
    ("AR", Registry::Arin),
    ("AV", Registry::Arin),
    ("IR", Registry::Iana),
    ("IU", Registry::Iana),
    ("LN", Registry::Lacnic),
    ("LX", Registry::Lacnic),
    ("RD", Registry::RipeNcc),
    ("RN", Registry::RipeNcc),
    ("RV", Registry::RipeNcc),
    ("RX", Registry::RipeNcc),
];

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Afrinic => "AFRINIC",
            Self::Apnic => "APNIC",
            Self::Arin => "ARIN",
            Self::Iana => "IANA",
            Self::Lacnic => "LACNIC",
            Self::RipeNcc => "RIPE NCC",
        })
    }
}

impl NetType {
    /// Reads ARIN's code.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "DA" => Self::DirectAllocation,
            "A" => Self::Reallocated,
            "S" => Self::Reassigned,
            code if REGISTRIES.iter().any(|(known, _)| *known == code) => Self::Registry(code.to_owned()),
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns the registry that holds a net of this type, if it is one.
    #[must_use]
    pub fn registry(&self) -> Option<Registry> {
        match self {
            Self::Registry(code) => REGISTRIES.iter().find(|(known, _)| known == code).map(|(_, registry)| *registry),
            Self::DirectAllocation | Self::Reallocated | Self::Reassigned | Self::Other(_) => None,
        }
    }

    /// Returns ARIN's code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::DirectAllocation => "DA",
            Self::Reallocated => "A",
            Self::Reassigned => "S",
            Self::Registry(code) | Self::Other(code) => code,
        }
    }
}

impl From<String> for NetType {
    fn from(code: String) -> Self {
        Self::from_code(&code)
    }
}

impl From<NetType> for String {
    fn from(kind: NetType) -> Self {
        kind.code().to_owned()
    }
}

impl From<String> for PocFunction {
    fn from(code: String) -> Self {
        Self::from_code(&code)
    }
}

impl From<PocFunction> for String {
    fn from(function: PocFunction) -> Self {
        function.code().to_owned()
    }
}

impl PocFunction {
    /// Reads ARIN's code.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "AD" => Self::Admin,
            "T" => Self::Tech,
            "AB" => Self::Abuse,
            "N" => Self::Noc,
            "R" => Self::Routing,
            "D" => Self::Dns,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns ARIN's code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Admin => "AD",
            Self::Tech => "T",
            Self::Abuse => "AB",
            Self::Noc => "N",
            Self::Routing => "R",
            Self::Dns => "D",
            Self::Other(code) => code,
        }
    }
}

impl PocType {
    /// Reads ARIN's code.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "PERSON" => Self::Person,
            "ROLE" => Self::Role,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns ARIN's code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Person => "PERSON",
            Self::Role => "ROLE",
            Self::Other(code) => code,
        }
    }
}

/// A postal address. Any part may be missing; two equal addresses are one row in NetBox.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// Street lines in order, without empty ones.
    pub street: Vec<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province (`iso3166-2`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Two-letter country code, or the three-letter one where ARIN gave only that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Address {
    /// Returns the address, unless nothing at all is known of it.
    #[must_use]
    pub fn unless_empty(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.city, &self.state_province, &self.postal_code, &self.country];
        let text: Vec<&str> =
            self.street.iter().map(String::as_str).chain(parts.into_iter().flatten().map(String::as_str)).collect();
        f.write_str(&text.join(", "))
    }
}
