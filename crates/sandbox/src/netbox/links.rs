//! What becomes of the objects that point at one that is deleted.

use serde_json::{Map, Value};

use super::{
    field::{Kind, OnDelete},
    render,
    store::{Action, Store},
    write::{self, Refusal},
};

/// One link to an object.
struct Link {
    endpoint: String,
    id: u64,
    field: String,
    on_delete: OnDelete,
}

/// Whether nothing forbids to delete an object; else NetBox's sentence about it.
pub(super) fn check(store: &Store, endpoint: &str, id: u64) -> Result<(), String> {
    let protecting = to(store, endpoint, id).into_iter().filter(|link| link.on_delete == OnDelete::Protect);
    let names: Vec<String> = protecting.filter_map(|link| name(store, &link)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(format!("Unable to delete object. {} dependent objects were found: {}", names.len(), names.join(", ")))
}

/// Lets go of an object that was deleted: links become null, rows that cannot be without it go too.
pub(super) fn release(store: &mut Store, endpoint: &str, id: u64) -> Result<(), Refusal> {
    for link in to(store, endpoint, id) {
        match link.on_delete {
            OnDelete::Cascade => write::delete(store, &link.endpoint, link.id, &Map::new())?,
            OnDelete::SetNull => unlink(store, &link, id),
            // Checked before.
            OnDelete::Protect => {}
        }
    }
    Ok(())
}

/// Takes the link out of its row, which counts as an update.
fn unlink(store: &mut Store, link: &Link, gone: u64) {
    let Some(mut row) = store.table(&link.endpoint).and_then(|table| table.row(link.id)).cloned() else { return };
    let single = match row.values.get_mut(&link.field) {
        Some(Value::Array(links)) => {
            links.retain(|link| link.as_u64() != Some(gone));
            false
        }
        Some(value) => {
            *value = Value::Null;
            true
        }
        None => return,
    };
    // A row of the table between two lists goes without a trace in either.
    if single {
        row.updated = store.now();
    }
    store.put(&link.endpoint, link.id, Some(row));
    if single {
        store.log(&link.endpoint, link.id, Action::Update, "");
    }
}

/// All links to an object.
fn to(store: &Store, endpoint: &str, id: u64) -> Vec<Link> {
    let mut links = Vec::new();
    for table in store.tables() {
        for field in table.model.fields.iter().filter(|field| field.target() == Some(endpoint)) {
            let on_delete =
                if let Kind::Object { on_delete, .. } = &field.kind { *on_delete } else { OnDelete::SetNull };
            let points = |value: &Value| {
                let many = value.as_array().is_some_and(|links| links.iter().any(|link| link.as_u64() == Some(id)));
                many || value.as_u64() == Some(id)
            };
            let rows = table.rows().filter(|(_, row)| points(row.get(&field.name)));
            links.extend(rows.map(|(id, _)| Link {
                endpoint: table.model.endpoint.clone(),
                id,
                field: field.name.clone(),
                on_delete,
            }));
        }
    }
    links
}

fn name(store: &Store, link: &Link) -> Option<String> {
    let table = store.table(&link.endpoint)?;
    Some(format!("{} ({})", render::display(&table.model, link.id, table.row(link.id)?), link.id))
}
