//! Creating, updating and deleting one object, as part of a transaction of the [`Store`].

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    access::Caller,
    field::{Field, Kind},
    links,
    model::Model,
    page::Selection,
    reply::wrong,
    rules,
    store::{Action, Store},
    table::Row,
    value,
};

/// How writing is done for one request.
#[derive(Debug)]
pub(super) struct Manner {
    /// `fields=` and `omit=` restrict what is written, too.
    pub(super) selection: Selection,
    /// A field and a text it must not have, by [`Fault::RefuseRow`](super::Fault::RefuseRow).
    pub(super) refused: Option<(String, String)>,
    /// Who writes, and so which objects it may be.
    pub(super) caller: Caller,
}

/// Why an object was not written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// What is wrong, by field.
    Invalid(Map<String, Value>),
    /// The database refused it; NetBox answers 500 with this exception and text.
    Exception(&'static str, String),
    /// Others depend on it.
    Protected(String),
}

type Errors = Map<String, Value>;

/// Creates an object and gives its id.
pub(super) fn create(
    store: &mut Store,
    endpoint: &str,
    sent: &Map<String, Value>,
    manner: &Manner,
) -> Result<u64, Refusal> {
    let Some(model) = store.table(endpoint).map(|table| Arc::clone(&table.model)) else { return Ok(0) };
    let mut values = defaults(&model);
    let errors = read(store, &model, sent, manner, &mut values, 0);
    let missing = model.fields.iter().filter(|field| field.required && !sent.contains_key(&field.name));
    let missing = missing.filter(|field| manner.selection.has(&field.name, false));
    let missing = missing.map(|field| (field.name.clone(), wrong("This field is required.")));
    refuse(errors.into_iter().chain(missing).collect())?;
    refuse(rules::broken(store, &model, 0, &values))?;
    let (created, updated) = (store.now(), store.now());
    let id = store.table_mut(endpoint).map_or(0, super::table::Table::next_id);
    save(store, &model, id, Row { created, updated, values })?;
    store.log(endpoint, id, Action::Create, message(sent));
    Ok(id)
}

/// Writes some fields of an object that is there.
pub(super) fn update(
    store: &mut Store,
    endpoint: &str,
    id: u64,
    sent: &Map<String, Value>,
    manner: &Manner,
) -> Result<(), Refusal> {
    let Some(table) = store.table(endpoint) else { return Ok(()) };
    let (model, Some(before)) = (Arc::clone(&table.model), table.row(id).cloned()) else { return Ok(()) };
    let mut values = before.values.clone();
    refuse(read(store, &model, sent, manner, &mut values, id))?;
    refuse(rules::broken(store, &model, id, &values))?;
    let changed = values != before.values;
    let updated = store.now();
    save(store, &model, id, Row { created: before.created, updated, values })?;
    if changed {
        store.log(endpoint, id, Action::Update, message(sent));
    }
    Ok(())
}

/// Deletes an object, and does with what points at it as the links say.
pub(super) fn delete(store: &mut Store, endpoint: &str, id: u64, sent: &Map<String, Value>) -> Result<(), Refusal> {
    links::check(store, endpoint, id).map_err(Refusal::Protected)?;
    store.put(endpoint, id, None);
    store.log(endpoint, id, Action::Delete, message(sent));
    links::release(store, endpoint, id)
}

/// What is stored in a new object before anything was sent.
pub(super) fn defaults(model: &Model) -> Map<String, Value> {
    model.fields.iter().map(|field| (field.name.clone(), field.default.clone())).collect()
}

/// Reads what was sent into `values`. Names that are no fields are passed over, as NetBox does.
fn read(
    store: &Store,
    model: &Model,
    sent: &Map<String, Value>,
    manner: &Manner,
    values: &mut Map<String, Value>,
    id: u64,
) -> Errors {
    let mut errors = Errors::new();
    for field in model.fields.iter().filter(|field| manner.selection.has(&field.name, false)) {
        let Some(sent) = sent.get(&field.name) else { continue };
        match value::checked(store, field, sent).and_then(|value| free(store, model, field, value, id)) {
            Ok(value) => drop(values.insert(field.name.clone(), value)),
            Err(error) => drop(errors.insert(field.name.clone(), error)),
        }
    }
    if let Some((name, _)) =
        manner.refused.as_ref().filter(|(name, value)| values.get(name).is_some_and(|v| v == value))
    {
        errors.insert(name.clone(), wrong("This value is refused."));
    }
    errors
}

/// NetBox's own models look for duplicates before they save, custom objects leave it to the database.
fn free(store: &Store, model: &Model, field: &Field, value: Value, id: u64) -> Result<Value, Value> {
    let table = store.table(&model.endpoint).filter(|_| field.unique && !model.custom);
    match table.and_then(|table| table.other_holder(&field.name, &value, id)) {
        Some(_) => Err(wrong(format!("{} with this {} already exists.", model.title, field.name))),
        None => Ok(value),
    }
}

/// Puts it into the table, unless the database would refuse it.
fn save(store: &mut Store, model: &Model, id: u64, row: Row) -> Result<(), Refusal> {
    let Some(table) = store.table(&model.endpoint) else { return Ok(()) };
    for field in &model.fields {
        let value = row.get(&field.name);
        if field.unique && !value.is_null() && table.other_holder(&field.name, value, id).is_some() {
            return Err(duplicate(&field.name, value));
        }
        if field.kind == Kind::Json && value.to_string().contains("\\u0000") {
            let error = "unsupported Unicode escape sequence\nDETAIL:  \\u0000 cannot be converted to text.";
            return Err(Refusal::Exception("DataError", error.to_owned()));
        }
    }
    store.put(&model.endpoint, id, Some(row));
    Ok(())
}

pub(super) fn duplicate(field: &str, value: &Value) -> Refusal {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let error = format!(
        "duplicate key value violates unique constraint \"custom_objects_{field}_key\"\nDETAIL:  Key ({field})=({value}) already exists."
    );
    Refusal::Exception("IntegrityError", error)
}

fn refuse(errors: Errors) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
}

fn message(sent: &Map<String, Value>) -> &str {
    sent.get("changelog_message").and_then(Value::as_str).unwrap_or_default()
}
