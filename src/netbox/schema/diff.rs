//! The changes of a type that the plugin foresees (`schema/preview/`), as lines for a person.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

/// The changes of one type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct TypeDiff {
    pub(super) slug: String,
    pub(super) is_new: bool,
    #[serde(default)]
    cot_changes: BTreeMap<String, (Value, Value)>,
    #[serde(default)]
    field_changes: Vec<FieldDiff>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct FieldDiff {
    op: Op,
    db_name: Option<String>,
    schema_def: FieldDef,
    #[serde(default)]
    changed_attrs: BTreeMap<String, (Value, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Alter,
    Remove,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
struct FieldDef {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl TypeDiff {
    pub(super) fn is_empty(&self) -> bool {
        !self.is_new && self.cot_changes.is_empty() && self.field_changes.is_empty()
    }

    /// Returns the changes that lose data, or may: the plugin counts removals only, but casting a column is no safer.
    pub(super) fn destructive(&self) -> impl Iterator<Item = String> {
        self.field_changes.iter().filter(|field| field.loses_data()).map(|field| format!("{}: {field}", self.slug))
    }
}

impl FieldDiff {
    fn loses_data(&self) -> bool {
        match self.op {
            Op::Add => false,
            Op::Alter => self.changed_attrs.contains_key("type"),
            Op::Remove => true,
        }
    }

    fn name(&self) -> &str {
        self.db_name.as_deref().unwrap_or(&self.schema_def.name)
    }
}

impl fmt::Display for TypeDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} type {}", if self.is_new { "+" } else { "~" }, self.slug)?;
        for (name, (was, becomes)) in &self.cot_changes {
            writeln!(f, "    ~ {name}: {} -> {}", Shown(was), Shown(becomes))?;
        }
        self.field_changes.iter().try_for_each(|field| writeln!(f, "    {field}"))
    }
}

impl fmt::Display for FieldDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self.op {
            Op::Add => write!(f, "+ {name} ({})", self.schema_def.kind),
            Op::Remove => write!(f, "- {name} ({}), with what it holds", self.schema_def.kind),
            Op::Alter => {
                let change = |(name, (was, becomes)): (&String, &(Value, Value))| {
                    format!("{name} {} -> {}", Shown(was), Shown(becomes))
                };
                let changes: Vec<String> = self.changed_attrs.iter().map(change).collect();
                write!(f, "~ {name}: {}", changes.join(", "))
            }
        }
    }
}

struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("(none)"),
            Value::String(text) if text.is_empty() => f.write_str("(none)"),
            Value::String(text) => write!(f, "\"{text}\""),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn migrated() -> TypeDiff {
        serde_json::from_value(json!({
            "slug": "rir-network", "name": "rir_network", "is_new": false, "has_changes": true,
            "has_destructive_changes": true, "cot_changes": {"version": ["1.0.0", "1.1.0"]},
            "field_changes": [
                {"op": "add", "schema_id": 22, "db_name": null,
                 "schema_def": {"id": 22, "name": "asn", "type": "integer"}},
                {"op": "alter", "schema_id": 4, "db_name": "net_name",
                 "schema_def": {"id": 4, "name": "net_name", "type": "text"},
                 "changed_attrs": {"description": ["", "Its name"], "weight": [10, 20]}},
                {"op": "alter", "schema_id": 5, "db_name": "cidrs",
                 "schema_def": {"id": 5, "name": "cidrs", "type": "json"},
                 "changed_attrs": {"type": ["longtext", "json"]}},
                {"op": "remove", "schema_id": 7, "db_name": "old",
                 "schema_def": {"id": 7, "name": "old", "type": "text"}},
            ],
            "warnings": [],
        }))
        .unwrap()
    }

    #[test]
    fn a_migration_reads_as_a_diff() {
        insta::assert_snapshot!(migrated(), @r#"
        ~ type rir-network
            ~ version: "1.0.0" -> "1.1.0"
            + asn (integer)
            ~ net_name: description (none) -> "Its name", weight 10 -> 20
            ~ cidrs: type "longtext" -> "json"
            - old (text), with what it holds
        "#);
    }

    #[test]
    fn removed_fields_and_changed_types_lose_data() {
        let lost: Vec<String> = migrated().destructive().collect();
        insta::assert_snapshot!(lost.join("\n"), @r#"
        rir-network: ~ cidrs: type "longtext" -> "json"
        rir-network: - old (text), with what it holds
        "#);
    }

    #[test]
    fn a_diff_without_changes_is_empty() {
        let diff: TypeDiff = serde_json::from_value(json!({"slug": "t", "is_new": false})).unwrap();
        assert!(diff.is_empty());
    }
}
