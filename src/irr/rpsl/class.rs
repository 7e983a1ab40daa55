//! The classes of objects that an IRRd 4.5 knows.

use std::{fmt, str::FromStr};

/// A class of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Class {
    AsBlock,
    AsSet,
    AutNum,
    Domain,
    FilterSet,
    InetRtr,
    Inet6Num,
    InetNum,
    Irt,
    KeyCert,
    Mntner,
    Organisation,
    PeeringSet,
    Person,
    Role,
    Route,
    RouteSet,
    Route6,
    RtrSet,
}

/// Text that is no class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no class of objects")]
pub struct UnknownClass(pub String);

impl Class {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 19] = [
        Self::AsBlock,
        Self::AsSet,
        Self::AutNum,
        Self::Domain,
        Self::FilterSet,
        Self::InetRtr,
        Self::Inet6Num,
        Self::InetNum,
        Self::Irt,
        Self::KeyCert,
        Self::Mntner,
        Self::Organisation,
        Self::PeeringSet,
        Self::Person,
        Self::Role,
        Self::Route,
        Self::RouteSet,
        Self::Route6,
        Self::RtrSet,
    ];

    /// Returns its name in RPSL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsBlock => "as-block",
            Self::AsSet => "as-set",
            Self::AutNum => "aut-num",
            Self::Domain => "domain",
            Self::FilterSet => "filter-set",
            Self::InetRtr => "inet-rtr",
            Self::Inet6Num => "inet6num",
            Self::InetNum => "inetnum",
            Self::Irt => "irt",
            Self::KeyCert => "key-cert",
            Self::Mntner => "mntner",
            Self::Organisation => "organisation",
            Self::PeeringSet => "peering-set",
            Self::Person => "person",
            Self::Role => "role",
            Self::Route => "route",
            Self::RouteSet => "route-set",
            Self::Route6 => "route6",
            Self::RtrSet => "rtr-set",
        }
    }
}

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let named = |class: &Self| class.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownClass(text.chars().take(50).collect()))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
