//! A change as it is shown: to programs as JSON, to people as a diff.
//!
//! It has the values as text, and none of what only the machine needs, so that it can be kept and read again.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::{Action, Altered, Change};
use crate::model::{ObjectType, Value};

/// A row that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlannedChange)]
pub struct ShownChange {
    /// What would be done to the row.
    pub action: ShownAction,
    /// The type of the object.
    #[serde(rename = "type")]
    pub object: ObjectType,
    /// The handle; for an address the address itself.
    pub handle: String,
    /// A digest of what would be written to the row; two plans that write the same to it have the same.
    pub digest: String,
    /// The fields that would be written.
    pub fields: BTreeMap<String, ShownField>,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PlannedAction)]
pub enum ShownAction {
    /// A new row.
    Create,
    /// Other values in some fields.
    Update,
    /// A row that is marked as not found at the RIR any more.
    Retire,
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlannedField)]
pub struct ShownField {
    /// The recorded value; null in a row that is new.
    pub was: Option<String>,
    /// The value that it would become.
    pub becomes: String,
}

/// Fields that are not shown: they repeat what stands next to them, or stand for what is shown elsewhere.
const HIDDEN: [&str; 4] = ["key", "digest", "handle", "config"];
/// Fields whose values say nothing to a person: a document, and the key of an address that has its own line.
const OPAQUE: [&str; 2] = ["raw_data", "address"];

impl Change {
    /// Returns the names of the fields that a person may want to read about, without those that are only there for the
    /// machine.
    pub fn visible(&self) -> impl Iterator<Item = &'static str> {
        let names: Vec<_> = match &self.action {
            Action::Create { fields } => fields.keys().copied().collect(),
            Action::Update { fields, .. } => fields.keys().copied().collect(),
            Action::Retire { .. } => Vec::new(),
        };
        names.into_iter().filter(|name| !HIDDEN.contains(name))
    }

    /// Returns the change as it is shown.
    #[must_use]
    pub fn shown(&self) -> ShownChange {
        let field = |name: &'static str| {
            let (was, becomes) = match &self.action {
                Action::Create { fields } => (None, fields.get(name)?.to_string()),
                Action::Update { fields, .. } => {
                    let Altered { was, becomes } = fields.get(name)?;
                    (Some(was.to_string()), becomes.to_string())
                }
                Action::Retire { .. } => return None,
            };
            Some((name.to_owned(), ShownField { was, becomes }))
        };
        let action = match self.action {
            Action::Create { .. } => ShownAction::Create,
            Action::Update { .. } => ShownAction::Update,
            Action::Retire { .. } => ShownAction::Retire,
        };
        let fields = self.visible().filter_map(field).collect();
        ShownChange { action, object: self.object, handle: self.handle.clone(), digest: self.digest(), fields }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

/// As a diff: `+ ~ -` and the object, and below it a line for each field that tells something.
impl fmt::Display for ShownChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, handle, .. } = self;
        match self.action {
            ShownAction::Create => {
                writeln!(f, "+ {object} {handle}")?;
                let told = |(name, field): &(&String, &ShownField)| self.tells(name) && field.becomes != nothing();
                self.fields.iter().filter(told).try_for_each(|(name, field)| {
                    let becomes = &field.becomes;
                    writeln!(f, "    {name}: {becomes}")
                })
            }
            ShownAction::Update => {
                writeln!(f, "~ {object} {handle}")?;
                self.fields.iter().try_for_each(|(name, ShownField { was, becomes })| match was {
                    Some(was) if !OPAQUE.contains(&name.as_str()) => writeln!(f, "    {name}: {was} -> {becomes}"),
                    Some(_) | None => writeln!(f, "    {name}: changed"),
                })
            }
            ShownAction::Retire => writeln!(f, "- {object} {handle}\n    status: registered -> not-found"),
        }
    }
}

impl ShownChange {
    /// Returns whether a field of a new row tells a person more than the line of the object does.
    fn tells(&self, name: &str) -> bool {
        self.object != ObjectType::Address && !OPAQUE.contains(&name) && name != "status"
    }
}

/// Returns how a field without a value is shown.
fn nothing() -> String {
    Value::Empty.to_string()
}
