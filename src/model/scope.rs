//! What one sync is about.

use std::collections::BTreeSet;

use super::inventory::RowId;

/// The part of a config that a sync looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Config,
    /// One aggregate and the prefixes inside it.
    Aggregate(RowId),
    /// One prefix.
    Prefix(RowId),
}

/// A kind of registration that a sync of a whole config can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Resource {
    /// The config's organization and the recipient organizations.
    Organizations,
    /// The points of contact of the config's organization.
    Contacts,
    /// Networks with the customers and organizations that hold them.
    Networks,
}

impl Resource {
    /// All of them.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from([Self::Organizations, Self::Contacts, Self::Networks])
    }
}
