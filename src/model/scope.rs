//! The scope of a sync.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::inventory::{ObjectType, RowId};

/// The part of a config that a sync looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Config,
    /// One aggregate and the prefixes inside it.
    Aggregate(RowId),
    /// Single prefixes.
    Prefixes(BTreeSet<RowId>),
}

/// A kind of registration that a sync of a whole config can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// The config's organization and the recipient organizations.
    Organizations,
    /// The points of contact of the config's organization.
    Contacts,
    /// Networks with the customers and organizations that hold them.
    Networks,
}

impl Resource {
    /// Returns the types of rows that it is about.
    #[must_use]
    pub fn objects(self) -> &'static [ObjectType] {
        match self {
            Self::Organizations => &[ObjectType::Organization],
            Self::Contacts => &[ObjectType::Contact],
            Self::Networks => &[ObjectType::Network, ObjectType::Customer],
        }
    }

    /// Returns its name in jobs and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Contacts => "contacts",
            Self::Networks => "networks",
        }
    }

    /// Returns all of them.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from([Self::Organizations, Self::Contacts, Self::Networks])
    }
}
