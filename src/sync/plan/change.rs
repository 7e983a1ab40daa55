//! The rows to write, as values that can be compared, shown and applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::model::{Fields, Key, ObjectType, RowId, Value, inventory::NOT_FOUND};

/// The rows to write to bring NetBox in line, in an order in which references point backwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// One change for each row that is written.
    pub changes: Vec<Change>,
    /// The rows that are as they should be.
    pub unchanged: BTreeSet<(ObjectType, String)>,
    /// The dates of the registry's public listing to be remembered with networks, so that the next sync can tell which ones
    /// changed. They say nothing about what is registered, and are no change that anybody is told of.
    pub listed: BTreeMap<Key, String>,
}

/// One row to write.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Change {
    pub object: ObjectType,
    pub key: Key,
    /// The handle; for an address the address itself.
    pub handle: String,
    pub action: Action,
}

/// The kind of a change to a row, with the fields that are written.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub enum Action {
    /// Writes a new row with all fields that the sidecar owns.
    Create { fields: Fields },
    /// Writes the fields of a row that differ.
    Update { id: RowId, fields: BTreeMap<&'static str, Altered> },
    /// Marks a row as not found at the RIR any more.
    Retire { id: RowId },
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct Altered {
    pub was: Value,
    pub becomes: Value,
}

impl Plan {
    /// Counts the rows that it would mark as not found.
    #[must_use]
    pub fn retirements(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change.action, Action::Retire { .. })).count()
    }

    /// Returns the plan without the rows that it would mark as not found.
    #[must_use]
    pub fn without_retirements(mut self) -> Self {
        self.changes.retain(|change| !matches!(change.action, Action::Retire { .. }));
        self
    }
}

impl Change {
    /// Returns the fields as they are written.
    #[must_use]
    pub fn fields(&self) -> Fields {
        match &self.action {
            Action::Create { fields } => fields.clone(),
            Action::Update { fields, .. } => {
                fields.iter().map(|(name, altered)| (*name, altered.becomes.clone())).collect()
            }
            Action::Retire { .. } => Fields::from([("status", Value::Text(NOT_FOUND.into()))]),
        }
    }
}

/// The plan as a diff: `+ ~ -` for each object, and below it a line for each field.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| change.fmt(f))
    }
}
