//! Custom object types: how a schema document makes and changes them.

use serde_json::{Map, Value, json};

use super::{
    reply::{Reply, wrong},
    store::Store,
};

mod apply;
mod check;
mod diff;
mod document;
mod show;

pub(super) use document::ObjectType;
pub(super) use show::{list, single};

/// Answers `schema/preview/`: the bare document in, what applying it would change out.
pub(super) fn preview(store: &Store, body: &Value) -> Reply {
    let Some(document) = body.as_object() else { return not_an_object() };
    let errors = check::errors(document);
    if !errors.is_empty() {
        return invalid(errors);
    }
    let diffs: Vec<Value> = diff::all(store, document).iter().map(diff::TypeDiff::show).collect();
    Reply::ok(json!({ "diffs": diffs }))
}

/// Answers `schema/apply/`: the document wrapped in `schema`, all of it or nothing.
pub(super) fn apply(store: &mut Store, body: &Value, version: &str) -> Reply {
    let Some(request) = body.as_object() else { return not_an_object() };
    let Some(document) = request.get("schema").and_then(Value::as_object) else {
        return field("schema", "A 'schema' object containing the COT schema document is required.");
    };
    let Some(allow_destructive) = request.get("allow_destructive").unwrap_or(&Value::Bool(false)).as_bool() else {
        return field("allow_destructive", "'allow_destructive' must be a boolean.");
    };
    let errors = check::errors(document);
    if !errors.is_empty() {
        return invalid(errors);
    }
    let diffs = diff::all(store, document);
    match apply::all(store, &diffs, allow_destructive) {
        Ok(()) => {
            let diffs: Vec<Value> = diffs.iter().map(diff::TypeDiff::show).collect();
            Reply::ok(json!({ "applied": true, "diffs": diffs }))
        }
        Err(refusal) => refusal.reply(version),
    }
}

fn not_an_object() -> Reply {
    let message = "Request body must be a JSON/YAML object.";
    Reply::invalid(Map::from_iter([("non_field_errors".to_owned(), wrong(message))]))
}

fn field(name: &str, message: &str) -> Reply {
    Reply::invalid(Map::from_iter([(name.to_owned(), Value::from(message))]))
}

fn invalid(errors: Vec<Value>) -> Reply {
    Reply::invalid(Map::from_iter([("schema_errors".to_owned(), Value::Array(errors))]))
}
