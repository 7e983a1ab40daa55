//! Whether a schema document is well-formed: what matters of the plugin's JSON schema.

use serde_json::{Map, Value, json};

use super::document::{TYPE_ATTRIBUTES, attributes_of, text};

const TYPES: [&str; 13] = [
    "text",
    "longtext",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "url",
    "json",
    "select",
    "multiselect",
    "object",
    "multiobject",
];

/// What is wrong, as `{"path": […], "message": …}`.
pub(super) fn errors(document: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    let missing = ["schema_version", "types"].into_iter().filter(|name| !document.contains_key(*name));
    found.extend(missing.map(|name| error(&[], format!("'{name}' is a required property"))));
    found.extend(unexpected(&[], document, &["schema_version", "types"]));
    if document.get("schema_version").is_some_and(|version| version != "1") {
        found.push(error(&["schema_version".to_owned()], "'1' was expected".to_owned()));
    }
    let types = document.get("types").and_then(Value::as_array);
    if types.is_some_and(Vec::is_empty) {
        found.push(error(&["types".to_owned()], "[] should be non-empty".to_owned()));
    }
    for (at, definition) in types.into_iter().flatten().enumerate() {
        found.extend(of_type(&["types".to_owned(), at.to_string()], definition));
    }
    found
}

fn of_type(path: &[String], definition: &Value) -> Vec<Value> {
    let Some(members) = definition.as_object() else {
        return vec![error(path, format!("{definition} is not of type 'object'"))];
    };
    let below = |name: &str| [path, &[name.to_owned()]].concat();
    let mut found = Vec::new();
    for (name, separator) in [("name", '_'), ("slug", '-')] {
        match members.get(name).and_then(Value::as_str) {
            None => found.push(error(path, format!("'{name}' is a required property"))),
            Some(value) if !is_identifier(value, separator) => {
                let pattern = format!("^[a-z0-9]+({separator}[a-z0-9]+)*$");
                found.push(error(&below(name), format!("'{value}' does not match '{pattern}'")));
            }
            Some(_) => {}
        }
    }
    let known = [&TYPE_ATTRIBUTES[..], &["slug", "fields", "removed_fields"]].concat();
    found.extend(unexpected(path, members, &known));
    for (at, field) in members.get("fields").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if !is_field(field) {
            let path = [below("fields"), vec![at.to_string()]].concat();
            found.push(error(&path, format!("{field} is not valid under any of the given schemas")));
        }
    }
    found
}

/// `a_b_c`: lower-case words with one separator between two.
fn is_identifier(value: &str, separator: char) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    value.split(separator).all(is_word)
}

fn is_field(field: &Value) -> bool {
    let Some(members) = field.as_object() else { return false };
    let kind = text(members, "type");
    let own = attributes_of(kind);
    let fits = |(name, value): (&String, &Value)| match name.as_str() {
        "id" => value.as_u64().is_some_and(|id| id >= 1),
        "name" => value.as_str().is_some_and(|name| is_identifier(name, '_')),
        "type" => true,
        "default" => true,
        "primary" | "required" | "unique" | "is_cloneable" | "deprecated" => value.is_boolean(),
        "weight" | "search_weight" => value.as_u64().is_some(),
        "validation_minimum" | "validation_maximum" => value.is_number(),
        "filter_logic" => ["disabled", "loose", "exact"].iter().any(|known| value == known),
        "ui_visible" => ["always", "if-set", "hidden"].iter().any(|known| value == known),
        "ui_editable" => ["yes", "no", "hidden"].iter().any(|known| value == known),
        "on_delete_behavior" => ["set_null", "cascade", "protect"].iter().any(|known| value == known),
        "label" | "group_name" => value.as_str().is_some_and(|text| text.chars().count() <= 50),
        "description" => value.as_str().is_some_and(|text| text.chars().count() <= 200),
        "related_object_filter" => value.is_object() || value.is_null(),
        _ => value.is_string(),
    };
    let needed = match kind {
        "select" | "multiselect" => "choice_set",
        "object" | "multiobject" => "related_object_type",
        _ => "type",
    };
    TYPES.contains(&kind)
        && ["id", "name", needed].iter().all(|name| members.contains_key(*name))
        && members.keys().all(|name| ["id", "name", "type"].contains(&name.as_str()) || own.contains(&name.as_str()))
        && members.iter().all(fits)
}

fn unexpected(path: &[String], members: &Map<String, Value>, known: &[&str]) -> Option<Value> {
    let name = members.keys().find(|name| !known.contains(&name.as_str()))?;
    Some(error(path, format!("Additional properties are not allowed ('{name}' was unexpected)")))
}

fn error(path: &[String], message: String) -> Value {
    json!({ "path": path, "message": message })
}
