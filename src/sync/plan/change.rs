//! The rows to write, as values that can be compared, shown and applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::model::{Fields, Key, ObjectType, RowId, Value, inventory::NOT_FOUND};

/// What has to be written to bring NetBox in line, in an order in which references point backwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The rows to write.
    pub changes: Vec<Change>,
    /// The rows that are as they should be.
    pub unchanged: BTreeSet<(ObjectType, String)>,
}

/// One row to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is.
    pub object: ObjectType,
    /// What identifies it.
    pub key: Key,
    /// Its handle; for an address the address itself.
    pub handle: String,
    /// What to do with it.
    pub action: Action,
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Write a new row.
    Create {
        /// All fields the sidecar owns.
        fields: Fields,
    },
    /// Write some fields of a row.
    Update {
        /// The row.
        id: RowId,
        /// The fields that differ.
        fields: BTreeMap<&'static str, Altered>,
    },
    /// Mark a row as not found at the RIR any more.
    Retire {
        /// The row.
        id: RowId,
    },
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Altered {
    /// What is recorded.
    pub was: Value,
    /// What it becomes.
    pub becomes: Value,
}

impl Plan {
    /// How many rows it would mark as not found.
    #[must_use]
    pub fn retirements(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change.action, Action::Retire { .. })).count()
    }

    /// The plan without the rows it would mark as not found.
    #[must_use]
    pub fn without_retirements(mut self) -> Self {
        self.changes.retain(|change| !matches!(change.action, Action::Retire { .. }));
        self
    }
}

impl Change {
    /// The fields as they are written.
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

    /// The names of fields a person may want to read about, without those that are only there for the machine.
    pub fn visible(&self) -> impl Iterator<Item = &'static str> {
        let names: Vec<_> = match &self.action {
            Action::Create { fields } => fields.keys().copied().collect(),
            Action::Update { fields, .. } => fields.keys().copied().collect(),
            Action::Retire { .. } => Vec::new(),
        };
        names.into_iter().filter(|name| !HIDDEN.contains(name))
    }
}

/// Fields that are not shown in a diff: they repeat what stands next to them, or stand for what is shown elsewhere.
const HIDDEN: [&str; 4] = ["key", "digest", "handle", "config"];
/// Fields whose values say nothing to a person: a document, and the key of an address that has its own line.
const OPAQUE: [&str; 2] = ["raw_data", "address"];

/// The plan as a diff: `+ ~ -` for each object, and below it a line for each field.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| change.fmt(f))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, handle, .. } = self;
        match &self.action {
            Action::Create { fields } => {
                writeln!(f, "+ {object} {handle}")?;
                let own_line =
                    |name: &str| *object == ObjectType::Address || OPAQUE.contains(&name) || name == "status";
                let told = fields
                    .iter()
                    .filter(|(name, value)| **value != Value::Empty && !HIDDEN.contains(name) && !own_line(name));
                told.into_iter().try_for_each(|(name, value)| writeln!(f, "    {name}: {value}"))
            }
            Action::Update { fields, .. } => {
                writeln!(f, "~ {object} {handle}")?;
                fields.iter().filter(|(name, _)| !HIDDEN.contains(name)).try_for_each(|(name, altered)| {
                    let Altered { was, becomes } = altered;
                    if OPAQUE.contains(name) {
                        writeln!(f, "    {name}: changed")
                    } else {
                        writeln!(f, "    {name}: {was} -> {becomes}")
                    }
                })
            }
            Action::Retire { .. } => writeln!(f, "- {object} {handle}\n    status: registered -> not-found"),
        }
    }
}
