//! A finding as a value.

use std::{fmt, sync::Arc};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::kind::{Kind, Level};
use crate::{
    model::{CustomerHandle, Instance, Key, NetHandle, OrgHandle, RowId},
    netbox::findings::{Linked, LinkedObjects},
};

/// A place where the address plan and the registry differ, or that needs somebody.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Finding {
    pub kind: Kind,
    pub level: Level,
    /// The registry instance that it is about.
    pub instance: Instance,
    /// The config that judges it.
    pub config: RowId,
    pub subject: Subject,
    pub links: Links,
    /// What is the matter, in sentences that hold dates and never ages: they say the same tomorrow.
    pub message: String,
    /// Since when it is so; `None` if nobody knows, so that the time at which it was first seen counts.
    pub since: Option<Since>,
    /// The last day on which it can be put right in time.
    pub due: Option<Date>,
}

/// The place of a finding among others about the same; the least one is read first. What has no due date comes behind.
pub type Urgency = (Level, bool, Option<Date>, Kind);

/// A time since which something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The time.
    pub at: Timestamp,
    /// It has been so for at least that long, and perhaps for longer.
    pub at_least: bool,
}

/// The object that a finding is about. With the kind's family and the registry instance it tells one finding from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The prefix of this range.
    Prefix(IpNet),
    /// The aggregate of this range.
    Aggregate(IpNet),
    /// A net; ARIN uses handles again, so that its date of registration belongs to it.
    Net(NetHandle, Option<Date>),
    /// A customer.
    Customer(CustomerHandle),
    /// An organization.
    Org(OrgHandle),
    /// A ticket, by its number.
    Ticket(String),
    /// A change request, by its row.
    Request(RowId),
    /// A config as a whole, by its name; the second part says what is the matter: `own-tenants`, `listing`.
    Config(String, &'static str),
}

/// The rows that a finding is about, by which it is found from these. Most findings have few of them, and those about the
/// prefixes of an aggregate share the link to it.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "they are called so")]
pub struct Links {
    pub prefix: Option<Arc<Link>>,
    pub aggregate: Option<Arc<Link>>,
    pub network: Option<Arc<Link>>,
    pub customer: Option<Arc<Link>>,
    pub organization: Option<Arc<Link>>,
    pub ticket: Option<Arc<Link>>,
    pub request: Option<Arc<Link>>,
}

/// A row, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The row; `None` for a net that only the public listing has.
    pub row: Option<RowId>,
    /// A range, a handle or a number.
    pub name: String,
}

impl Finding {
    /// Returns what tells it from all others: registry instance, family and subject.
    #[must_use]
    pub fn key(&self) -> Key {
        Self::key_of(&self.instance, self.kind, &self.subject)
    }

    /// Returns the key of a finding of this kind about this subject.
    #[must_use]
    pub fn key_of(instance: &Instance, kind: Kind, subject: &Subject) -> Key {
        instance.key(format!("{}/{}", kind.family(), subject.identity()))
    }

    /// Returns what says how soon people read it: by level, then the earliest due date, then kind.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        (self.level, self.due.is_none(), self.due, self.kind)
    }
}

impl Subject {
    /// Returns what tells it from all others of any sort.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Prefix(range) => format!("prefix {range}"),
            Self::Aggregate(range) => format!("aggregate {range}"),
            Self::Net(handle, Some(registered)) => format!("net {handle} {registered}"),
            Self::Net(handle, None) => format!("net {handle}"),
            Self::Customer(handle) => format!("customer {handle}"),
            Self::Org(handle) => format!("org {handle}"),
            Self::Ticket(number) => format!("ticket {number}"),
            Self::Request(row) => format!("request {row}"),
            Self::Config(name, topic) => format!("config {name} {topic}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(range) | Self::Aggregate(range) => range.fmt(f),
            Self::Net(handle, _) => handle.fmt(f),
            Self::Customer(handle) => handle.fmt(f),
            Self::Org(handle) => handle.fmt(f),
            Self::Ticket(number) => number.fmt(f),
            Self::Request(row) => row.fmt(f),
            Self::Config(name, _) => name.fmt(f),
        }
    }
}

impl Links {
    /// Returns them as a row has them.
    #[must_use]
    pub fn objects(&self) -> LinkedObjects {
        let link = |what| match what {
            Linked::Prefix => &self.prefix,
            Linked::Aggregate => &self.aggregate,
            Linked::Network => &self.network,
            Linked::Customer => &self.customer,
            Linked::Organization => &self.organization,
            Linked::Request => &self.request,
            Linked::Ticket => &self.ticket,
        };
        let known = Linked::ALL.into_iter().filter_map(|what| Some((what, link(what).as_deref()?)));
        LinkedObjects::of(known.map(|(what, link)| (what, link.row, Some(link.name.as_str()))))
    }

    /// Adds what another one links to, where this one links to nothing.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            prefix: self.prefix.or(more.prefix),
            aggregate: self.aggregate.or(more.aggregate),
            network: self.network.or(more.network),
            customer: self.customer.or(more.customer),
            organization: self.organization.or(more.organization),
            ticket: self.ticket.or(more.ticket),
            request: self.request.or(more.request),
        }
    }
}

/// Returns the day of a time in UTC, by which due dates are counted.
#[must_use]
pub fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

impl Link {
    /// Links to a row.
    #[must_use]
    pub fn to(row: RowId, name: impl fmt::Display) -> Arc<Self> {
        Self::perhaps_to(Some(row), name)
    }

    /// Links to a row, if there is one.
    #[must_use]
    pub fn perhaps_to(row: Option<RowId>, name: impl fmt::Display) -> Arc<Self> {
        Arc::new(Self { row, name: name.to_string() })
    }
}
