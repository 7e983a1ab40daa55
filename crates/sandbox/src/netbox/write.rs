//! Creating, updating and deleting one object, as part of a transaction of the [`Store`].

use std::sync::Arc;

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::{
    field::Kind,
    model::{AGGREGATES, Model},
    reply::wrong,
    store::Store,
    table::{Row, Table},
    value,
};

/// The reason why an object was not written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// The messages about what is wrong, by field.
    Invalid(Fields),
    /// The database refused it; NetBox answers 500 with this exception and text.
    Exception(&'static str, String),
}

type Fields = Map<String, Value>;

/// A field and a text that no row may have, by [`Fault::RefuseRow`](super::Fault::RefuseRow).
pub(super) type RefusedValue = Option<(String, String)>;

/// Creates an object and returns its id.
pub(super) fn create(store: &mut Store, endpoint: &str, sent: &Fields, refused: &RefusedValue) -> Result<u64, Refusal> {
    let Some(model) = store.table(endpoint).map(|table| Arc::clone(&table.model)) else { return Ok(0) };
    let mut values = defaults(&model);
    let mut errors = read(store, &model, sent, refused, &mut values);
    for field in model.fields.iter().filter(|field| field.required && !sent.contains_key(&field.name)) {
        errors.insert(field.name.clone(), wrong("This field is required."));
    }
    refuse(errors)?;
    let (created, updated) = (store.now(), store.now());
    let id = store.table_mut(endpoint).map_or(0, Table::next_id);
    save(store, &model, id, Row { created, updated, values })?;
    store.log(endpoint, id, "create", message(sent));
    Ok(id)
}

/// Writes some fields of an object that is there.
pub(super) fn update(
    store: &mut Store,
    endpoint: &str,
    id: u64,
    sent: &Fields,
    refused: &RefusedValue,
) -> Result<(), Refusal> {
    let Some(table) = store.table(endpoint) else { return Ok(()) };
    let (model, Some(before)) = (Arc::clone(&table.model), table.row(id).cloned()) else { return Ok(()) };
    let mut values = before.values.clone();
    refuse(read(store, &model, sent, refused, &mut values))?;
    // An old row may break a rule that came after it.
    let blank = model.fields.iter().filter(|field| field.required && values.get(&field.name) == Some(&Value::Null));
    refuse(blank.map(|field| (field.name.clone(), wrong("This field cannot be blank."))).collect())?;
    let changed = values != before.values;
    let updated = store.now();
    save(store, &model, id, Row { created: before.created, updated, values })?;
    if changed {
        store.log(endpoint, id, "update", message(sent));
    }
    Ok(())
}

/// Deletes an object, and takes it out of what points at it.
pub(super) fn delete(store: &mut Store, endpoint: &str, id: u64, sent: &Fields) {
    store.put(endpoint, id, None);
    store.log(endpoint, id, "delete", message(sent));
    for (list, pointing, field) in links(store, endpoint, id) {
        let Some(mut row) = store.table(&list).and_then(|table| table.row(pointing)).cloned() else { continue };
        let Some(value) = row.values.get_mut(&field) else { continue };
        if let Value::Array(links) = value {
            // The row of the table between two lists goes without a trace in either.
            links.retain(|link| link.as_u64() != Some(id));
            store.put(&list, pointing, Some(row));
        } else {
            *value = Value::Null;
            row.updated = store.now();
            store.put(&list, pointing, Some(row));
            store.log(&list, pointing, "update", "");
        }
    }
}

/// Returns the list, id and field of all links to an object.
fn links(store: &Store, endpoint: &str, id: u64) -> Vec<(String, u64, String)> {
    let mut links = Vec::new();
    let points = |value: &Value| value.as_u64() == Some(id);
    for table in store.tables() {
        for field in table.model.fields.iter().filter(|field| field.target() == Some(endpoint)) {
            let rows = table.rows().filter(|(_, row)| {
                let value = row.get(&field.name);
                points(value) || value.as_array().is_some_and(|links| links.iter().any(points))
            });
            links.extend(rows.map(|(id, _)| (table.model.endpoint.clone(), id, field.name.clone())));
        }
    }
    links
}

/// Adds an object unchecked and without a trace in the change log; `None` when there is no such endpoint.
pub(super) fn seed(store: &mut Store, endpoint: &str, values: Fields) -> Option<u64> {
    let mut all = defaults(&store.table(endpoint)?.model);
    all.extend(values);
    let (created, updated) = (store.now(), store.now());
    let id = store.table_mut(endpoint)?.next_id();
    store.put(endpoint, id, Some(Row { created, updated, values: all }));
    store.commit();
    Some(id)
}

/// Returns the values that a new object has before anything was sent.
fn defaults(model: &Model) -> Fields {
    model.fields.iter().map(|field| (field.name.clone(), field.default.clone())).collect()
}

/// Reads what was sent into `values`. Names that are no fields are passed over, as NetBox does.
fn read(store: &Store, model: &Model, sent: &Fields, refused: &RefusedValue, values: &mut Fields) -> Fields {
    let mut errors = Fields::new();
    for field in &model.fields {
        let Some(sent) = sent.get(&field.name) else { continue };
        match value::checked(store, field, sent) {
            Ok(Value::Object(some)) if matches!(field.kind, Kind::CustomFields(_)) => {
                // Those that are not sent stay.
                if let Some(Value::Object(all)) = values.get_mut(&field.name) {
                    all.extend(some);
                }
            }
            Ok(value) => drop(values.insert(field.name.clone(), value)),
            Err(error) => drop(errors.insert(field.name.clone(), error)),
        }
    }
    if let Some((name, value)) = refused
        && values.get(name).is_some_and(|stored| stored == value)
    {
        errors.insert(name.clone(), wrong("This value is refused."));
    }
    errors
}

/// Puts it into the table, unless the database would refuse it.
fn save(store: &mut Store, model: &Model, id: u64, row: Row) -> Result<(), Refusal> {
    let Some(table) = store.table(&model.endpoint) else { return Ok(()) };
    if model.endpoint == AGGREGATES {
        refuse(overlap(table, id, &row))?;
    }
    for field in &model.fields {
        let value = row.get(&field.name);
        if field.unique && !value.is_null() && table.other_holder(&field.name, value, id).is_some() {
            if store.names_duplicates {
                let errors =
                    Fields::from_iter([(field.name.clone(), wrong("An object with this value already exists."))]);
                return Err(Refusal::Invalid(errors));
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let error = format!(
                "duplicate key value violates unique constraint\nDETAIL:  Key ({})=({value}) already exists.",
                field.name
            );
            return Err(Refusal::Exception("IntegrityError", error));
        }
        if field.kind == Kind::Json && value.to_string().contains("\\u0000") {
            let error = "unsupported Unicode escape sequence\nDETAIL:  \\u0000 cannot be converted to text.";
            return Err(Refusal::Exception("DataError", error.to_owned()));
        }
    }
    store.put(&model.endpoint, id, Some(row));
    Ok(())
}

/// Says what is wrong with an aggregate that has space in common with another one.
fn overlap(table: &Table, id: u64, row: &Row) -> Fields {
    let prefix = |row: &Row| row.get("prefix").as_str().and_then(|prefix| prefix.parse::<IpNet>().ok());
    let Some(ours) = prefix(row) else { return Fields::new() };
    let others = table.rows().filter(|(other, _)| *other != id).filter_map(|(_, other)| prefix(other));
    let told = |other: IpNet| {
        if other.contains(&ours) {
            Some(format!("Aggregates cannot overlap. {ours} is already covered by an existing aggregate ({other})."))
        } else {
            ours.contains(&other)
                .then(|| format!("Prefixes cannot overlap aggregates. {ours} covers an existing aggregate ({other})."))
        }
    };
    others.filter_map(told).map(|told| ("prefix".to_owned(), wrong(told))).take(1).collect()
}

fn refuse(errors: Fields) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
}

fn message(sent: &Fields) -> &str {
    sent.get("changelog_message").and_then(Value::as_str).unwrap_or_default()
}
