//! Objects as NetBox answers them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    call::Call,
    field::{Field, Kind},
    model::{CHOICE_SETS, CUSTOM_FIELDS, Model},
    store::Store,
    table::{Row, Table},
};

/// Returns the object as its own endpoint answers it, with the fields that the call wants.
pub(super) fn object(store: &Store, call: &Call, model: &Model, id: u64, row: &Row) -> Value {
    let mut members = identity(call, model, id, row);
    members.insert("created".to_owned(), time(row.created).into());
    members.insert("last_updated".to_owned(), time(row.updated).into());
    if model.custom {
        members.insert("owner".to_owned(), Value::Null);
        members.insert("tags".to_owned(), json!([]));
    }
    members.retain(|name, _| call.wants(name));
    for field in model.fields.iter().filter(|field| call.wants(&field.name)) {
        members.insert(field.name.clone(), value(store, call, field, row.get(&field.name)));
    }
    Value::Object(members)
}

/// The members by which any object is known.
fn identity(call: &Call, model: &Model, id: u64, row: &Row) -> Map<String, Value> {
    let primary = model.primary.as_deref().and_then(|field| row.text(field)).filter(|name| !name.is_empty());
    let display = primary.map_or_else(|| format!("{} {id}", model.reference), str::to_owned);
    let url = format!("{}/api/{}/{id}/", call.base, model.endpoint);
    super::model::object(json!({ "id": id, "url": url, "display": display }))
}

/// The members of an object where another one links to it.
fn brief(call: &Call, model: &Model, id: u64, row: &Row) -> Map<String, Value> {
    let mut members = identity(call, model, id, row);
    let slug = model.field("slug").map(|field| &field.name);
    for field in model.primary.iter().chain(slug).filter(|_| !model.custom) {
        members.insert(field.clone(), row.get(field).clone());
    }
    members
}

fn value(store: &Store, call: &Call, field: &Field, value: &Value) -> Value {
    let nested = |target: &str, id: &Value| {
        let (id, table) = (id.as_u64()?, store.table(target)?);
        Some(Value::Object(brief(call, &table.model, id, table.row(id)?)))
    };
    let all = || value.as_array().into_iter().flatten();
    match &field.kind {
        Kind::Object(target) => nested(target, value).unwrap_or_default(),
        Kind::Multiobject(target) => all().filter_map(|id| nested(target, id)).collect(),
        Kind::Select(_) | Kind::Choice(_) | Kind::Multiselect(_) if value.is_null() => Value::Null,
        Kind::CustomFields(object_type) => {
            let mut fields = custom_fields(store, object_type, value);
            for (name, value) in fields.as_object_mut().into_iter().flatten() {
                if let Some(target) = leads_to(store, name) {
                    *value = value.as_array().into_iter().flatten().filter_map(|id| nested(&target, id)).collect();
                }
            }
            fields
        }
        Kind::Select(None) | Kind::Choice(_) => choice(value, value.as_str().map(capitalized)),
        Kind::Select(Some(set)) => choice(value, label(store, *set, value)),
        Kind::Multiselect(set) => all().map(|value| choice(value, label(store, *set, value))).collect(),
        Kind::Text | Kind::Integer { .. } | Kind::Boolean | Kind::Date | Kind::DateTime | Kind::Json | Kind::Cidr => {
            value.clone()
        }
    }
}

/// Returns the values of all custom fields that objects of a type have; null for those that are not set.
pub(super) fn custom_fields(store: &Store, object_type: &str, set: &Value) -> Value {
    let fields = store.table(CUSTOM_FIELDS).into_iter().flat_map(Table::rows).map(|(_, field)| field);
    let of_type = |field: &&Row| {
        let mut types = field.get("object_types").as_array().into_iter().flatten();
        types.any(|of| of.as_str() == Some(object_type))
    };
    let named = fields.filter(of_type).filter_map(|field| field.text("name"));
    Value::Object(named.map(|name| (name.to_owned(), set.get(name).cloned().unwrap_or_default())).collect())
}

/// Returns the list of the objects that a custom field of several objects leads to.
fn leads_to(store: &Store, name: &str) -> Option<String> {
    let mut fields = store.table(CUSTOM_FIELDS)?.rows();
    let (_, field) = fields.find(|(_, field)| field.text("name") == Some(name))?;
    let object_type = field.text("related_object_type").filter(|_| field.text("type") == Some("multiobject"))?;
    store.tables().find(|table| table.model.object_type == object_type).map(|table| table.model.endpoint.clone())
}

fn choice(value: &Value, label: Option<String>) -> Value {
    json!({ "value": value, "label": label.unwrap_or_default() })
}

/// Returns the label of a choice; none when the set does not have it.
pub(super) fn label(store: &Store, choice_set: u64, value: &Value) -> Option<String> {
    let pairs = store.table(CHOICE_SETS)?.row(choice_set)?.get("extra_choices").as_array()?;
    let pair = pairs.iter().find(|pair| pair.get(0) == Some(value))?;
    pair.get(1)?.as_str().map(str::to_owned)
}

/// Returns a time as the REST framework writes it.
pub(super) fn time(time: Timestamp) -> String {
    let whole = time.subsec_nanosecond() == 0;
    time.strftime(if whole { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" }).to_string()
}

/// Returns the ETag of an object that was last changed at a time.
pub(super) fn etag(updated: Timestamp) -> String {
    format!("W/\"{}\"", time(updated).replace('Z', "+00:00"))
}

/// Returns `active` as `Active`.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
