//! Bulk operations: one transaction each, all or nothing.
//!
//! Every row is tried even after one was refused, so that all that are wrong are named. What the database refuses ends
//! the request at once, and does not say which row it was.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    endpoint::{Endpoint, refused},
    reply::{Reply, wrong},
    store::Store,
    value::type_name,
    write::{self, Refusal},
};

/// Creates objects; they are answered in the order they were sent in.
pub(super) fn create(store: &mut Store, endpoint: &Endpoint<'_>, rows: &[Value]) -> Reply {
    let (mut created, mut errors) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let written = match row.as_object() {
            Some(sent) => write::create(store, endpoint.path, sent, endpoint.refused),
            None => Err(Refusal::Invalid(no_dictionary(row))),
        };
        match written {
            Ok(id) => created.push(id),
            Err(Refusal::Invalid(wrong)) => errors.push(json!({ "index": index, "errors": wrong })),
            Err(refusal) => return refused(store, refusal),
        }
    }
    ended(store, errors, ("created", rows.len()), |store| {
        Reply::created(created.iter().filter_map(|id| endpoint.show(store, *id)).collect::<Value>())
    })
}

/// Updates objects; they are answered in the order of their ids.
pub(super) fn update(store: &mut Store, endpoint: &Endpoint<'_>, rows: &[Value]) -> Reply {
    let sent = match found(store, endpoint, rows) {
        Ok(sent) => sent,
        Err(reply) => return reply,
    };
    let mut errors = Vec::new();
    for (id, sent) in &sent {
        match write::update(store, endpoint.path, *id, sent, endpoint.refused) {
            Ok(()) => {}
            Err(Refusal::Invalid(wrong)) => errors.push(json!({ "id": id, "errors": wrong })),
            Err(refusal) => return refused(store, refusal),
        }
    }
    ended(store, errors, ("updated", rows.len()), |store| {
        Reply::ok(sent.keys().filter_map(|id| endpoint.show(store, *id)).collect::<Value>())
    })
}

/// Deletes objects.
pub(super) fn delete(store: &mut Store, endpoint: &Endpoint<'_>, rows: &[Value]) -> Reply {
    let sent = match found(store, endpoint, rows) {
        Ok(sent) => sent,
        Err(reply) => return reply,
    };
    sent.iter().for_each(|(id, sent)| write::delete(store, endpoint.path, *id, sent));
    store.commit();
    Reply::no_content()
}

type Sent<'a> = BTreeMap<u64, &'a Map<String, Value>>;

/// Returns the rows by id, once each of them is known to be about an object that is there.
fn found<'a>(store: &Store, endpoint: &Endpoint<'_>, rows: &'a [Value]) -> Result<Sent<'a>, Reply> {
    let sent: Sent<'_> = rows.iter().filter_map(|row| Some((row.get("id")?.as_u64()?, row.as_object()?))).collect();
    let missing = sent.keys().filter(|id| !endpoint.reaches(store, **id));
    let missing =
        missing.map(|id| json!({ "id": id, "errors": { "id": wrong(format!("Object with ID {id} does not exist")) } }));
    let missing: Vec<Value> = missing.collect();
    if missing.is_empty() { Ok(sent) } else { Err(failure("found", missing, rows.len())) }
}

fn no_dictionary(row: &Value) -> Map<String, Value> {
    let told = format!("Invalid data. Expected a dictionary, but got {}.", type_name(row));
    Map::from_iter([("__all__".to_owned(), wrong(told))])
}

/// Ends the transaction: takes it back if a row was refused.
fn ended(
    store: &mut Store,
    errors: Vec<Value>,
    (done, total): (&str, usize),
    answer: impl FnOnce(&Store) -> Reply,
) -> Reply {
    if errors.is_empty() {
        store.commit();
        return answer(store);
    }
    store.rollback();
    failure(done, errors, total)
}

fn failure(done: &str, errors: Vec<Value>, total: usize) -> Reply {
    let detail = format!("{} of {total} objects could not be {done}.", errors.len());
    Reply::json(StatusCode::BAD_REQUEST, json!({ "detail": detail, "errors": errors }))
}
