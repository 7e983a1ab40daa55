//! Applying what a schema document changes, all of it or nothing.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    diff::{FieldDiff, Operation, TypeDiff, id},
    document::{Unresolvable, model},
};
use crate::netbox::{
    field::{Field, Kind},
    model::Model,
    object_type::{ObjectType, TYPE_ATTRIBUTES, text},
    reply::Reply,
    store::Store,
    table::{Row, Unfit},
    value,
};

/// The reason why a document was not applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refused {
    /// It would drop fields of these types, and nobody allowed it.
    Destructive(Vec<String>),
    /// It names something that is not there.
    Unresolvable(String),
    /// The database does not take it; NetBox answers 500 with this exception and text.
    Exception(&'static str, String),
}

impl From<Unresolvable> for Refused {
    fn from(Unresolvable(detail): Unresolvable) -> Self {
        Self::Unresolvable(detail)
    }
}

/// Applies all diffs or nothing.
pub(super) fn all(store: &mut Store, diffs: &[TypeDiff], allow_destructive: bool) -> Result<(), Refused> {
    let destructive: Vec<String> =
        diffs.iter().filter(|diff| diff.destroys()).map(|diff| diff.slug().to_owned()).collect();
    if !(allow_destructive || destructive.is_empty()) {
        return Err(Refused::Destructive(destructive));
    }
    let mut changed = store.clone();
    for diff in diffs {
        one(&mut changed, diff)?;
    }
    *store = changed;
    Ok(())
}

fn one(store: &mut Store, diff: &TypeDiff) -> Result<(), Refused> {
    let mut object_type = match store.types.get(diff.slug()) {
        Some(known) => known.clone(),
        None => new_type(store, diff),
    };
    let before = model(&object_type, store).ok();
    for name in TYPE_ATTRIBUTES {
        object_type.attributes.insert(name.to_owned(), text(&diff.definition, name).into());
    }
    for field in &diff.fields {
        field.apply(&mut object_type.fields);
    }
    let model = model(&object_type, store)?;
    if diff.is_new {
        store.add_table(model);
    } else if diff.has_changes() {
        migrate(store, before.as_ref(), model, &diff.fields)?;
    }
    store.types.insert(diff.slug().to_owned(), object_type);
    Ok(())
}

fn new_type(store: &mut Store, diff: &TypeDiff) -> ObjectType {
    store.last_type_id += 1;
    let slug = diff.slug().to_owned();
    ObjectType { id: store.last_type_id, slug, attributes: Map::new(), fields: Vec::new() }
}

impl FieldDiff {
    fn apply(&self, fields: &mut Vec<Map<String, Value>>) {
        match self.operation {
            Operation::Add => fields.push(self.definition.clone()),
            Operation::Remove => fields.retain(|field| id(field) != self.id),
            Operation::Alter => {
                for field in fields.iter_mut().filter(|field| id(field) == self.id) {
                    field.clone_from(&self.definition);
                }
            }
        }
    }
}

/// Brings each row into the shape of the new model: renamed fields keep their values, new ones get their default.
fn migrate(store: &mut Store, before: Option<&Model>, model: Model, fields: &[FieldDiff]) -> Result<(), Refused> {
    let (endpoint, frozen) = (model.endpoint.clone(), store.clone());
    let sources: Vec<Option<&Field>> = model.fields.iter().map(|field| source(before, field, fields)).collect();
    let reshape = |row: &mut Row| {
        let old = std::mem::take(&mut row.values);
        for (field, source) in model.fields.iter().zip(&sources) {
            let value = source.and_then(|was| Some((was, old.get(&was.name)?.clone())));
            let value = match value {
                Some((was, value)) => converted(&frozen, was, field, value)?,
                None => field.default.clone(),
            };
            row.values.insert(field.name.clone(), value);
        }
        Ok(())
    };
    let table = store.table_mut(&endpoint).ok_or_else(|| Refused::Unresolvable(endpoint.clone()))?;
    table.remodel(model.clone(), reshape).map_err(|unfit| match unfit {
        Unfit::Repeated(field, value) => {
            let error = format!("could not create unique index\nDETAIL:  Key ({field})=({value}) is duplicated.");
            Refused::Exception("IntegrityError", error)
        }
        Unfit::Cast(value) => Refused::Exception("DataError", format!("invalid input syntax: {value}")),
    })
}

/// The field as it was before, under whatever name; none when it is new.
fn source<'a>(before: Option<&'a Model>, field: &Field, changes: &[FieldDiff]) -> Option<&'a Field> {
    let change = changes.iter().filter(|change| change.operation != Operation::Remove);
    let mut change = change.filter(|change| text(&change.definition, "name") == field.name);
    let name = match change.next() {
        Some(change) => change.name.as_deref()?,
        None => &field.name,
    };
    before?.field(name)
}

/// A value in a field whose type changed.
fn converted(store: &Store, was: &Field, field: &Field, value: Value) -> Result<Value, Unfit> {
    if was.kind == field.kind || value.is_null() {
        return Ok(value);
    }
    let as_text = if field.kind == Kind::Text && !value.is_string() { value.to_string().into() } else { value };
    value::checked(store, field, &as_text).map_err(|_| Unfit::Cast(as_text))
}

impl Refused {
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Destructive(slugs) => {
                let names = slugs.join(", ");
                let detail = format!("Schema contains destructive field removals for COT(s): {names}.");
                let body = json!({ "error": "destructive_changes", "detail": detail, "destructive_slugs": slugs });
                Reply::json(StatusCode::CONFLICT, body)
            }
            Self::Unresolvable(detail) => {
                Reply::json(StatusCode::BAD_REQUEST, json!({ "error": "unresolvable_reference", "detail": detail }))
            }
            Self::Exception(exception, error) => Reply::exception(exception, &error),
        }
    }
}
