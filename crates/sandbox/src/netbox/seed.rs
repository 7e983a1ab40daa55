//! What Rust callers put in and look at, past HTTP. Nothing here is checked or written to the change log, except that
//! removing an object lets go of what points at it as NetBox does.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    model::PLUGIN,
    render,
    store::Store,
    table::{Row, Table},
    write,
};

/// Adds an object; `None` when there is no such endpoint.
pub(super) fn add(store: &mut Store, endpoint: &str, values: Map<String, Value>) -> Option<u64> {
    let model = Arc::clone(&store.table(endpoint)?.model);
    let mut all = write::defaults(&model);
    all.extend(values);
    let (created, updated) = (store.now(), store.now());
    let id = store.table_mut(endpoint)?.next_id();
    store.put(endpoint, id, Some(Row { created, updated, values: all }));
    store.commit();
    Some(id)
}

/// Changes fields of an object. Whether it was there.
pub(super) fn edit(store: &mut Store, endpoint: &str, id: u64, values: Map<String, Value>) -> bool {
    let Some(mut row) = store.table(endpoint).and_then(|table| table.row(id)).cloned() else { return false };
    row.values.extend(values);
    row.updated = store.now();
    store.put(endpoint, id, Some(row));
    store.commit();
    true
}

/// Removes an object, unless another one protects it. Whether it was there and is gone.
pub(super) fn remove(store: &mut Store, endpoint: &str, id: u64) -> bool {
    if store.table(endpoint).is_none_or(|table| table.row(id).is_none()) {
        return false;
    }
    let removed = write::delete(store, endpoint, id, &Map::new()).is_ok();
    if removed {
        store.commit()
    } else {
        store.rollback()
    }
    removed
}

/// All objects of an endpoint as they are stored.
pub(super) fn rows(store: &Store, endpoint: &str) -> Vec<Map<String, Value>> {
    store.table(endpoint).into_iter().flat_map(Table::rows).map(|(id, row)| stored(id, row)).collect()
}

fn stored(id: u64, row: &Row) -> Map<String, Value> {
    let mut values = row.values.clone();
    values.insert("id".to_owned(), id.into());
    values.insert("created".to_owned(), render::time(row.created).into());
    values.insert("last_updated".to_owned(), render::time(row.updated).into());
    values
}

/// The endpoint of a custom object type.
pub(super) fn custom(slug: &str) -> String {
    format!("{PLUGIN}/{slug}")
}

/// A name in lower case with dashes.
pub(super) fn slug(name: &str) -> String {
    let dashed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    name.to_lowercase().chars().map(dashed).collect()
}
