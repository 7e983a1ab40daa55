//! A request to the endpoint of one kind of objects.

use serde_json::Value;

use super::{
    access::Caller,
    call::Call,
    render,
    reply::Reply,
    store::Store,
    write::{Refusal, RefusedValue},
};

#[derive(Debug)]
pub(super) struct Endpoint<'a> {
    pub(super) call: &'a Call,
    pub(super) path: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) refused: &'a RefusedValue,
}

impl Endpoint<'_> {
    /// Returns whether the object is there, and one that the caller may do this with.
    pub(super) fn reaches(&self, store: &Store, id: u64) -> bool {
        store.table(self.path).is_some_and(|table| table.row(id).is_some())
            && self.caller.reaches(self.path, &self.call.method, id)
    }

    /// Returns what tells the object as it is now from what it was before.
    pub(super) fn etag(&self, store: &Store, id: u64) -> Option<String> {
        Some(render::etag(store.table(self.path)?.row(id)?.updated))
    }

    /// Returns the object as it is answered.
    pub(super) fn show(&self, store: &Store, id: u64) -> Option<Value> {
        let table = store.table(self.path)?;
        Some(render::object(store, self.call, &table.model, id, table.row(id)?))
    }
}

/// Takes everything back and says why.
pub(super) fn refused(store: &mut Store, refusal: Refusal) -> Reply {
    store.rollback();
    match refusal {
        Refusal::Invalid(errors) => Reply::invalid(errors),
        Refusal::Exception(exception, error) => Reply::exception(exception, &error),
    }
}
