//! What one sync is about.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    handles::NetHandle,
    inventory::{ObjectType, RowId},
};

/// The part of a config that a sync looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Config,
    /// What a run in parts begins with: the organization, the contacts and the aggregates, but no prefixes.
    Head,
    /// A further part of such a run: the prefixes inside an aggregate that was looked up before.
    Inside {
        /// The aggregate.
        aggregate: RowId,
        /// The net that answers for it, if one does.
        parent: Option<NetHandle>,
    },
    /// The last part of such a run: what is recorded, and came up in none of the others.
    Rest {
        /// What came up.
        seen: BTreeSet<(ObjectType, String)>,
        /// Whether everything else was answered, so that what is gone may be retired.
        complete: bool,
    },
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
    /// The types of rows that it is about.
    #[must_use]
    pub fn objects(self) -> &'static [ObjectType] {
        match self {
            Self::Organizations => &[ObjectType::Organization],
            Self::Contacts => &[ObjectType::Contact],
            Self::Networks => &[ObjectType::Network, ObjectType::Customer],
        }
    }

    /// What it is called in jobs and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Contacts => "contacts",
            Self::Networks => "networks",
        }
    }

    /// All of them.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from([Self::Organizations, Self::Contacts, Self::Networks])
    }
}
