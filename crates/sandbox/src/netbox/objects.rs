//! The endpoints of one kind of objects: the list, with its bulk operations, and the single object.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Map, Value};

use super::{
    bulk,
    call::Call,
    filter,
    page::{Page, Selection},
    render::Renderer,
    reply::{Reply, wrong},
    store::Store,
    value::type_name,
    write::{self, Manner, Refusal},
};

/// One request to the endpoints of one kind of objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) call: &'a Call,
    pub(super) endpoint: &'a str,
    pub(super) manner: &'a Manner,
    pub(super) version: &'a str,
}

impl Request<'_> {
    /// Whether the caller may do this with an object.
    pub(super) fn reaches(&self, id: u64) -> bool {
        self.manner.caller.reaches(self.endpoint, self.call, id)
    }
}

/// Answers a request to the list.
pub(super) fn list(store: &mut Store, request: Request<'_>, max_page_size: usize) -> Reply {
    let body = match &request.call.body {
        Ok(body) => body.as_ref(),
        Err(error) => return Reply::bad(format!("JSON parse error - {error}")),
    };
    match (&request.call.method, body) {
        (&Method::GET, _) => read(store, request, max_page_size),
        (&Method::POST, Some(Value::Array(rows))) => bulk::create(store, request, rows),
        (&Method::POST, body) => create(store, request, body.unwrap_or(&Value::Object(Map::new()))),
        (&Method::PATCH, body) => {
            bulk::rows(body).map_or_else(|reply| reply, |rows| bulk::update(store, request, rows))
        }
        (&Method::DELETE, body) => {
            bulk::rows(body).map_or_else(|reply| reply, |rows| bulk::delete(store, request, rows))
        }
        (method, _) => Reply::not_allowed(method.as_str()),
    }
}

/// Answers a request to one object.
pub(super) fn single(store: &mut Store, request: Request<'_>, id: u64) -> Reply {
    let Some(table) = store.table(request.endpoint) else { return Reply::not_found("Not found.") };
    let Some(row) = table.row(id).filter(|_| request.reaches(id)) else {
        return Reply::not_found(format!("No {} matches the given query.", table.model.class));
    };
    let etag = row.etag();
    if request.call.method != Method::GET && !request.call.matches(&etag) {
        return Reply::stale(etag);
    }
    let empty = Value::Object(Map::new());
    let body = match &request.call.body {
        Ok(body) => body.as_ref().unwrap_or(&empty),
        Err(error) => return Reply::bad(format!("JSON parse error - {error}")),
    };
    match (&request.call.method, body) {
        (&Method::GET, _) => show(store, request, id, Reply::ok),
        (&Method::PATCH, Value::Object(sent)) => {
            let written = write::update(store, request.endpoint, id, sent, request.manner);
            settle(store, request, written, |store, ()| show(store, request, id, Reply::ok))
        }
        (&Method::DELETE, Value::Object(sent)) => {
            let deleted = write::delete(store, request.endpoint, id, sent);
            settle(store, request, deleted, |_, ()| Reply::no_content())
        }
        (&Method::PATCH | &Method::DELETE, other) => not_a_dictionary(other),
        (method, _) => Reply::not_allowed(method.as_str()),
    }
}

fn read(store: &Store, request: Request<'_>, max_page_size: usize) -> Reply {
    let Some(table) = store.table(request.endpoint) else { return Reply::not_found("Not found.") };
    let ids = filter::matching(store, table, &request.call.query);
    let ids = ids.map(|ids| ids.into_iter().filter(|id| request.reaches(*id)).collect());
    let page = ids.and_then(|ids| Page::of(request.call, ids, max_page_size));
    match page {
        Ok(page) => {
            let shown = objects(store, request, &page.ids);
            Reply::ok(page.answer(shown))
        }
        Err(errors) => Reply::invalid(errors),
    }
}

fn create(store: &mut Store, request: Request<'_>, body: &Value) -> Reply {
    let Value::Object(sent) = body else { return not_a_dictionary(body) };
    let created = write::create(store, request.endpoint, sent, request.manner);
    settle(store, request, created, |store, id| show(store, request, id, Reply::created))
}

/// Ends the transaction of a single write, and answers it.
fn settle<T>(
    store: &mut Store,
    request: Request<'_>,
    written: Result<T, Refusal>,
    answer: impl FnOnce(&Store, T) -> Reply,
) -> Reply {
    match written {
        Ok(written) => {
            store.commit();
            answer(store, written)
        }
        Err(refusal) => refused(store, request, refusal),
    }
}

/// Takes everything back and tells why.
pub(super) fn refused(store: &mut Store, request: Request<'_>, refusal: Refusal) -> Reply {
    store.rollback();
    match refusal {
        Refusal::Invalid(errors) => Reply::invalid(errors),
        Refusal::Exception(exception, error) => Reply::exception(exception, error, request.version),
        Refusal::Protected(detail) => Reply::detail(axum::http::StatusCode::CONFLICT, detail),
    }
}

fn not_a_dictionary(body: &Value) -> Reply {
    let told = format!("Invalid data. Expected a dictionary, but got {}.", type_name(body));
    Reply::invalid(Map::from_iter([("__all__".to_owned(), wrong(told))]))
}

fn show(store: &Store, request: Request<'_>, id: u64, reply: fn(Value) -> Reply) -> Reply {
    let etag = store.table(request.endpoint).and_then(|table| table.row(id)).map(super::table::Row::etag);
    let shown = objects(store, request, &[id]).into_iter().next().unwrap_or(Value::Null);
    reply(shown).etag(etag.unwrap_or_default())
}

/// The objects with these ids, as far as they are there.
pub(super) fn objects(store: &Store, request: Request<'_>, ids: &[u64]) -> Vec<Value> {
    let Some(table) = store.table(request.endpoint) else { return Vec::new() };
    let (model, selection) = (Arc::clone(&table.model), Selection::of(request.call));
    let renderer = Renderer { store, base: &request.call.base };
    let rows = ids.iter().filter_map(|id| Some((*id, table.row(*id)?)));
    rows.map(|(id, row)| renderer.object(&model, id, row, &selection)).collect()
}
