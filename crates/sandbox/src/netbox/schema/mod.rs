//! Custom object types: how a schema document makes and changes them.

use serde_json::{Map, Value, json};

use super::{call::Call, reply::Reply, store::Store};

mod apply;
mod diff;
mod document;
mod show;

pub(super) use show::{list, set_display};

/// Answers `schema/preview/`: the bare document in, the changes that applying it would make out.
pub(super) fn preview(store: &Store, call: &Call) -> Reply {
    let document = call.body.as_ref().and_then(Value::as_object).filter(|document| document.contains_key("types"));
    let Some(document) = document else {
        let errors = json!([{ "path": [], "message": "'types' is a required property" }]);
        return Reply::invalid(Map::from_iter([("schema_errors".to_owned(), errors)]));
    };
    let diffs: Vec<Value> = diff::all(store, document).iter().map(diff::TypeDiff::show).collect();
    Reply::ok(json!({ "diffs": diffs }))
}

/// Answers `schema/apply/`: the document wrapped in `schema`, all of it or nothing.
pub(super) fn apply(store: &mut Store, call: &Call) -> Reply {
    let member = |name: &str| call.body.as_ref().and_then(|body| body.get(name));
    let Some(document) = member("schema").and_then(Value::as_object) else {
        let message = "A 'schema' object containing the COT schema document is required.";
        return Reply::invalid(Map::from_iter([("schema".to_owned(), message.into())]));
    };
    let allow_destructive = member("allow_destructive").and_then(Value::as_bool).unwrap_or(false);
    let diffs = diff::all(store, document);
    match apply::all(store, &diffs, allow_destructive) {
        Ok(()) => {
            let diffs: Vec<Value> = diffs.iter().map(diff::TypeDiff::show).collect();
            Reply::ok(json!({ "applied": true, "diffs": diffs }))
        }
        Err(refused) => refused.reply(),
    }
}
