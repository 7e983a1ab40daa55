//! What the token's user has to be allowed: the one list of it.
//!
//! A test compares it with the requests that the service sends, in both directions.

use super::{
    changes::CHANGES,
    client::objects_path,
    ipam::{AGGREGATES, PREFIXES},
    permission::Permission::{self, Add, Change, Delete, View},
    schema::{self, types_path},
};

/// Permissions on the objects of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The path of the list.
    pub path: String,
    /// The permissions on it.
    pub permissions: &'static [Permission],
    /// The objects, as NetBox calls them where permissions are given.
    pub objects: String,
    /// What becomes of it without them.
    pub without: &'static str,
}

impl Need {
    fn new(path: &str, permissions: &'static [Permission], objects: &str, without: &'static str) -> Self {
        Self { path: path.to_owned(), permissions, objects: objects.to_owned(), without }
    }

    /// Returns the name of the list, the end of its path.
    #[must_use]
    pub fn list(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// Returns what has to be allowed, with or without the sweep of NetBox's change log.
#[must_use]
pub fn needs(sweep: bool) -> Vec<Need> {
    let mut needs = vec![
        Need::new(AGGREGATES, &[View], "IPAM aggregates", "no sync can begin"),
        Need::new(PREFIXES, &[View], "IPAM prefixes", "no sync can begin"),
    ];
    // Nobody reads or writes the others yet.
    let used = |slug: &&str| !matches!(*slug, schema::CHANGE_REQUEST | schema::TICKET | schema::FINDING | schema::LOOK);
    needs.extend(schema::TYPES.into_iter().filter(used).map(|slug| {
        let (permissions, without): (&[Permission], _) = match slug {
            schema::CONFIG => (&[View, Change], "no sync can begin, or none is recorded"),
            schema::SYNC_LOG => (&[View, Add, Delete], "the sync log is not written, or grows for ever"),
            _ => (&[View, Add, Change], "nothing of this kind is kept up to date"),
        };
        Need::new(&objects_path(slug), permissions, slug, without)
    }));
    if sweep {
        let without = "the sweep cannot catch up on changes whose webhooks were lost";
        needs.push(Need::new(CHANGES, &[View], "Core object changes", without));
        needs.push(Need::new(&types_path(), &[View], "Custom Objects custom object types", without));
    }
    needs
}
