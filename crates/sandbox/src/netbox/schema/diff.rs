//! The changes that applying a schema document would make.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::netbox::{
    model::object,
    object_type::{ObjectType, TYPE_ATTRIBUTES, text},
    store::Store,
};

/// The changes of one type.
#[derive(Debug, Clone)]
pub(super) struct TypeDiff {
    pub(super) definition: Map<String, Value>,
    pub(super) is_new: bool,
    /// Attribute to `[old, new]`.
    changes: Map<String, Value>,
    pub(super) fields: Vec<FieldDiff>,
    warnings: Vec<String>,
}

/// The change of one field.
#[derive(Debug, Clone)]
pub(super) struct FieldDiff {
    pub(super) operation: Operation,
    pub(super) id: u64,
    pub(super) definition: Map<String, Value>,
    /// The name it has now, if it is there.
    pub(super) name: Option<String>,
    /// Attribute to `[old, new]`.
    changes: Map<String, Value>,
}

/// An operation on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Alter,
    Remove,
}

/// Returns the diff of each type of a well-formed document.
pub(super) fn all(store: &Store, document: &Map<String, Value>) -> Vec<TypeDiff> {
    let types = document.get("types").and_then(Value::as_array).into_iter().flatten();
    types.filter_map(Value::as_object).map(|definition| of_type(store, definition)).collect()
}

fn of_type(store: &Store, definition: &Map<String, Value>) -> TypeDiff {
    let known = store.types.get(text(definition, "slug"));
    let mut fields: Vec<FieldDiff> = members(definition, "fields").filter_map(|field| of_field(known, field)).collect();
    let mut warnings = Vec::new();
    for field in known.into_iter().flat_map(|known| &known.fields) {
        let same = |other: &&Map<String, Value>| other.get("id") == field.get("id");
        if members(definition, "fields").any(|other| same(&other)) {
            continue;
        }
        match members(definition, "removed_fields").find(same) {
            Some(tombstone) => fields.push(removed(field, tombstone)),
            None => warnings.push(untracked(field)),
        }
    }
    let changes = known.map(|known| type_changes(known, definition)).unwrap_or_default();
    TypeDiff { definition: definition.clone(), is_new: known.is_none(), changes, fields, warnings }
}

fn type_changes(known: &ObjectType, definition: &Map<String, Value>) -> Map<String, Value> {
    let pairs = TYPE_ATTRIBUTES.into_iter().map(|name| (name, known.text(name), text(definition, name)));
    pairs.filter(|(_, old, new)| old != new).map(|(name, old, new)| (name.to_owned(), json!([old, new]))).collect()
}

fn of_field(known: Option<&ObjectType>, definition: &Map<String, Value>) -> Option<FieldDiff> {
    let there = known.and_then(|known| known.fields.iter().find(|field| field.get("id") == definition.get("id")));
    let diff = FieldDiff {
        operation: Operation::Add,
        id: id(definition),
        definition: definition.clone(),
        name: None,
        changes: Map::new(),
    };
    let Some(there) = there else { return Some(diff) };
    let changes = field_changes(there, definition);
    let name = Some(text(there, "name").to_owned());
    (!changes.is_empty()).then_some(FieldDiff { operation: Operation::Alter, name, changes, ..diff })
}

fn field_changes(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let value =
        |definition: &Map<String, Value>, name| definition.get(name).cloned().unwrap_or_else(|| default_of(name));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let pairs = names.into_iter().map(|name| (name, value(old, name), value(new, name)));
    pairs.filter(|(_, old, new)| old != new).map(|(name, old, new)| (name.clone(), json!([old, new]))).collect()
}

/// Returns what an attribute of a field is when a document does not name it.
fn default_of(attribute: &str) -> Value {
    match attribute {
        "primary" | "required" | "unique" => false.into(),
        "weight" => 100.into(),
        "search_weight" => 500.into(),
        "filter_logic" => "loose".into(),
        "ui_visible" => "always".into(),
        "ui_editable" => "yes".into(),
        "on_delete_behavior" => "set_null".into(),
        "default" | "validation_minimum" | "validation_maximum" | "choice_set" | "related_object_type" => Value::Null,
        _ => "".into(),
    }
}

fn removed(field: &Map<String, Value>, tombstone: &Map<String, Value>) -> FieldDiff {
    FieldDiff {
        operation: Operation::Remove,
        id: id(field),
        definition: tombstone.clone(),
        name: Some(text(field, "name").to_owned()),
        changes: Map::new(),
    }
}

fn untracked(field: &Map<String, Value>) -> String {
    format!(
        "Field '{}' (schema_id={}) exists in the DB but is absent from both schema.fields and schema.removed_fields. \
         It was likely added outside the schema workflow and will not be affected by apply operations.",
        text(field, "name"),
        id(field)
    )
}

/// Returns the objects of a list.
pub(super) fn members<'a>(
    definition: &'a Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> + use<'a> {
    definition.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

pub(super) fn id(definition: &Map<String, Value>) -> u64 {
    definition.get("id").and_then(Value::as_u64).unwrap_or(0)
}

impl TypeDiff {
    pub(super) fn slug(&self) -> &str {
        text(&self.definition, "slug")
    }

    pub(super) fn destroys(&self) -> bool {
        self.fields.iter().any(|field| field.operation == Operation::Remove)
    }

    pub(super) fn has_changes(&self) -> bool {
        !(self.changes.is_empty() && self.fields.is_empty())
    }

    /// Returns it as the plugin answers it.
    pub(super) fn show(&self) -> Value {
        json!({
            "slug": self.slug(),
            "name": text(&self.definition, "name"),
            "is_new": self.is_new,
            "has_changes": self.has_changes(),
            "has_destructive_changes": self.destroys(),
            "cot_changes": self.changes,
            "field_changes": self.fields.iter().map(FieldDiff::show).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}

impl FieldDiff {
    fn show(&self) -> Value {
        let operation = match self.operation {
            Operation::Add => "add",
            Operation::Alter => "alter",
            Operation::Remove => "remove",
        };
        let mut shown = object(json!({
            "op": operation, "schema_id": self.id, "db_name": self.name, "schema_def": self.definition,
        }));
        if !self.changes.is_empty() {
            shown.insert("changed_attrs".to_owned(), Value::Object(self.changes.clone()));
        }
        Value::Object(shown)
    }
}
