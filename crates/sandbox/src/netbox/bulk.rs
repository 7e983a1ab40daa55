//! Bulk operations: one transaction each, all or nothing.
//!
//! Every row is tried even after one was refused, so that all that are wrong are told. What the database refuses ends
//! the request at once, and does not tell which row it was.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    objects::{self, Request},
    reply::{Reply, wrong},
    store::Store,
    value::type_name,
    write::{self, Refusal},
};

/// The rows of a body that has to be a list.
pub(super) fn rows(body: Option<&Value>) -> Result<&[Value], Reply> {
    let told = match body {
        Some(Value::Array(rows)) => return Ok(rows),
        None => "Expected a list of objects, but no data was submitted.".to_owned(),
        Some(Value::Object(members)) if members.is_empty() => {
            "Expected a list of objects, but no data was submitted.".to_owned()
        }
        Some(other) => format!("Expected a list of objects, but got {}.", type_name(other)),
    };
    Err(Reply::bad(told))
}

/// Creates objects; they are answered in the order they were sent in.
pub(super) fn create(store: &mut Store, request: Request<'_>, rows: &[Value]) -> Reply {
    let (mut created, mut errors) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let Value::Object(sent) = row else {
            errors.push(json!({ "index": index, "errors": no_dictionary(row) }));
            continue;
        };
        match write::create(store, request.endpoint, sent, request.manner) {
            Ok(id) => created.push(id),
            Err(Refusal::Invalid(wrong)) => errors.push(json!({ "index": index, "errors": wrong })),
            Err(refusal) => return objects::refused(store, request, refusal),
        }
    }
    if !errors.is_empty() {
        return undone(store, "could not be created", errors, rows.len());
    }
    store.commit();
    Reply::created(objects::objects(store, request, &created))
}

/// Updates objects; they are answered in the order of their list.
pub(super) fn update(store: &mut Store, request: Request<'_>, rows: &[Value]) -> Reply {
    let sent = match found(store, request, rows) {
        Ok(sent) => sent,
        Err(reply) => return reply,
    };
    let mut errors = Vec::new();
    for (id, sent) in &sent {
        match write::update(store, request.endpoint, *id, sent, request.manner) {
            Ok(()) => {}
            Err(Refusal::Invalid(wrong)) => errors.push(json!({ "id": id, "errors": wrong })),
            Err(refusal) => return objects::refused(store, request, refusal),
        }
    }
    if !errors.is_empty() {
        return undone(store, "could not be updated", errors, rows.len());
    }
    store.commit();
    let ids: Vec<u64> = sent.keys().copied().collect();
    Reply::ok(objects::objects(store, request, &ids))
}

/// Deletes objects.
pub(super) fn delete(store: &mut Store, request: Request<'_>, rows: &[Value]) -> Reply {
    let sent = match found(store, request, rows) {
        Ok(sent) => sent,
        Err(reply) => return reply,
    };
    for (id, sent) in &sent {
        // One may have gone with another by a cascade.
        if store.table(request.endpoint).is_none_or(|table| table.row(*id).is_none()) {
            continue;
        }
        if let Err(refusal) = write::delete(store, request.endpoint, *id, sent) {
            return objects::refused(store, request, refusal);
        }
    }
    store.commit();
    Reply::no_content()
}

type Sent<'a> = BTreeMap<u64, &'a Map<String, Value>>;

/// The rows by id, once each of them is known to be about an object that is there and as the client saw it.
fn found<'a>(store: &Store, request: Request<'_>, rows: &'a [Value]) -> Result<Sent<'a>, Reply> {
    let (mut named, mut errors) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        match identified(row) {
            Ok(found) => named.push(found),
            Err(wrong) => errors.push(json!({ "index": index, "errors": wrong })),
        }
    }
    let failed =
        |told, errors: Vec<Value>| if errors.is_empty() { Ok(()) } else { Err(failure(told, errors, rows.len())) };
    failed("failed validation", errors)?;
    let ids: Vec<u64> = named.iter().map(|(id, _)| *id).collect();
    failed("are listed more than once", repeated(&ids))?;
    let table = store.table(request.endpoint).ok_or_else(|| Reply::not_found("Not found."))?;
    let missing = ids.iter().filter(|id| table.row(**id).is_none() || !request.reaches(**id));
    let missing = missing.map(|id| of_id(*id, format!("Object with ID {id} does not exist")));
    failed("could not be found", missing.collect())?;
    let mut etags = ids.iter().filter_map(|id| table.row(*id)).map(super::table::Row::etag);
    match etags.find(|etag| !request.call.matches(etag)) {
        Some(etag) => Err(Reply::stale(etag)),
        None => Ok(named.into_iter().collect()),
    }
}

fn identified(row: &Value) -> Result<(u64, &Map<String, Value>), Value> {
    let Value::Object(sent) = row else { return Err(no_dictionary(row)) };
    let id = match sent.get("id") {
        None => return Err(json!({ "id": ["This field is required."] })),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(other) => other.as_u64(),
    };
    id.map(|id| (id, sent)).ok_or_else(|| json!({ "id": ["A valid integer is required."] }))
}

fn repeated(ids: &[u64]) -> Vec<Value> {
    let times = |id: u64| ids.iter().filter(|other| **other == id).count();
    let unique: BTreeSet<u64> = ids.iter().copied().collect();
    let repeated = if unique.len() == ids.len() { BTreeSet::new() } else { unique };
    let repeated = repeated.into_iter().map(|id| (id, times(id))).filter(|(_, times)| *times > 1);
    repeated
        .map(|(id, times)| {
            of_id(id, format!("Each object may be specified only once; ID {id} is listed {times} times"))
        })
        .collect()
}

fn of_id(id: u64, told: String) -> Value {
    json!({ "id": id, "errors": { "id": wrong(told) } })
}

fn no_dictionary(row: &Value) -> Value {
    let told = format!("Invalid data. Expected a dictionary, but got {}.", type_name(row));
    json!({ "__all__": wrong(told) })
}

fn undone(store: &mut Store, told: &str, errors: Vec<Value>, total: usize) -> Reply {
    store.rollback();
    failure(told, errors, total)
}

fn failure(told: &str, errors: Vec<Value>, total: usize) -> Reply {
    let detail = format!("{} of {total} objects {told}.", errors.len());
    Reply::json(StatusCode::BAD_REQUEST, json!({ "detail": detail, "errors": errors }))
}
