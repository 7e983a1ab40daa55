//! The classes of RPSL objects that an IRRd 4.5 knows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A class of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
#[expect(missing_docs, reason = "they are called so")]
pub enum RpslClass {
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

impl RpslClass {
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

impl FromStr for RpslClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let named = |class: &Self| class.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownClass(text.chars().take(50).collect()))
    }
}

impl fmt::Display for RpslClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for RpslClass {
    type Error = UnknownClass;

    fn try_from(text: String) -> Result<Self, UnknownClass> {
        text.parse()
    }
}

impl From<RpslClass> for &'static str {
    fn from(class: RpslClass) -> Self {
        class.name()
    }
}
