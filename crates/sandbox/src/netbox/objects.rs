//! The endpoints of one kind of objects: the list, with its bulk operations, and the single object.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    bulk,
    endpoint::{Endpoint, refused},
    field::Field,
    filter,
    page::page,
    reply::Reply,
    store::Store,
    write,
};

/// Answers a request to the list.
pub(super) fn list(store: &mut Store, endpoint: &Endpoint<'_>) -> Reply {
    match (&endpoint.call.method, &endpoint.call.body) {
        (&Method::GET, _) => {
            let ids = store.table(endpoint.path).map(|table| filter::matching(table, &endpoint.call.query));
            let reached = ids.unwrap_or_default().into_iter().filter(|id| endpoint.reaches(store, *id)).collect();
            page(endpoint.call, reached, |id| endpoint.show(store, id))
        }
        (&Method::OPTIONS, _) => Reply::ok(options(store, endpoint)),
        (&Method::POST, Some(Value::Array(rows))) => bulk::create(store, endpoint, rows),
        (&Method::PATCH, Some(Value::Array(rows))) => bulk::update(store, endpoint, rows),
        (&Method::DELETE, Some(Value::Array(rows))) => bulk::delete(store, endpoint, rows),
        (&Method::POST, body) => {
            let created = write::create(store, endpoint.path, &members(body), endpoint.refused);
            settled(store, created, |store, id| {
                Reply::created(endpoint.show(store, id)).tagged(endpoint.etag(store, id))
            })
        }
        (method, _) => Reply::not_allowed(method.as_str()),
    }
}

/// Returns the fields that a new object may have, to those who may add one.
fn options(store: &Store, endpoint: &Endpoint<'_>) -> Value {
    let fields = store.table(endpoint.path).map(|table| table.model.fields.as_slice()).unwrap_or_default();
    let field = |field: &Field| (field.name.clone(), json!({ "required": field.required, "read_only": false }));
    let fields: Map<String, Value> = fields.iter().map(field).collect();
    if endpoint.caller.may_add(endpoint.path) { json!({ "actions": { "POST": fields } }) } else { json!({}) }
}

/// Answers a request to one object.
pub(super) fn single(store: &mut Store, endpoint: &Endpoint<'_>, id: u64) -> Reply {
    if !endpoint.reaches(store, id) {
        return Reply::not_found();
    }
    let etag = endpoint.etag(store, id);
    let fits = |wanted: &Vec<String>| etag.as_ref().is_none_or(|etag| wanted.contains(etag));
    if endpoint.call.method != Method::GET && !endpoint.call.if_match.as_ref().is_none_or(fits) {
        return Reply::detail(StatusCode::PRECONDITION_FAILED, "Precondition failed.").tagged(etag);
    }
    let sent = members(&endpoint.call.body);
    match endpoint.call.method {
        Method::GET => Reply::ok(endpoint.show(store, id)).tagged(etag),
        Method::PATCH => {
            let written = write::update(store, endpoint.path, id, &sent, endpoint.refused);
            settled(store, written, |store, ()| Reply::ok(endpoint.show(store, id)).tagged(endpoint.etag(store, id)))
        }
        Method::DELETE => {
            write::delete(store, endpoint.path, id, &sent);
            store.commit();
            Reply::no_content()
        }
        ref method => Reply::not_allowed(method.as_str()),
    }
}

fn members(body: &Option<Value>) -> Map<String, Value> {
    body.as_ref().and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Ends the transaction of a single write, and answers it.
fn settled<T>(store: &mut Store, written: Result<T, write::Refusal>, answer: impl FnOnce(&Store, T) -> Reply) -> Reply {
    match written {
        Ok(written) => {
            store.commit();
            answer(store, written)
        }
        Err(refusal) => refused(store, refusal),
    }
}
