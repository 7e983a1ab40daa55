//! Our rows as NetBox writes and reads them: the one place that knows field names together with their wire forms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::model::{Key, ObjectType, RowId, Value};

/// The wire form of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text, and a select by its code.
    Text,
    Flag,
    Number,
    Date,
    /// A multiselect by its codes.
    Choices,
    /// A reference to one of our rows.
    Own(ObjectType),
    /// A reference to a row of NetBox, or to a config.
    Core,
    /// References to several rows of NetBox.
    Cores,
}

/// The last part of the path at which rows of this type are served.
#[must_use]
pub fn slug(object: ObjectType) -> &'static str {
    match object {
        ObjectType::Address => "rir-address",
        ObjectType::Organization => "rir-organization",
        ObjectType::Contact => "rir-contact",
        ObjectType::Network => "rir-network",
        ObjectType::Customer => "rir-customer",
    }
}

/// The fields that are read back to be compared. `raw_data` is not: its digest stands for it.
/// Addresses are never changed, so their keys are all there is to know.
pub(crate) fn compared(object: ObjectType) -> Vec<(&'static str, Form)> {
    let own: &[(&str, Form)] = match object {
        ObjectType::Address => return vec![("key", Form::Text)],
        ObjectType::Organization => &[
            ("name", Form::Text),
            ("dba_name", Form::Text),
            ("org_url", Form::Text),
            ("address", Form::Own(ObjectType::Address)),
        ],
        ObjectType::Contact => &[
            ("contact_type", Form::Text),
            ("first_name", Form::Text),
            ("middle_name", Form::Text),
            ("last_name", Form::Text),
            ("company_name", Form::Text),
            ("email", Form::Text),
            ("phone", Form::Text),
            ("roles", Form::Choices),
            ("organization", Form::Own(ObjectType::Organization)),
            ("address", Form::Own(ObjectType::Address)),
        ],
        ObjectType::Network => &[
            ("net_name", Form::Text),
            ("net_type", Form::Text),
            ("version", Form::Number),
            ("start_address", Form::Text),
            ("end_address", Form::Text),
            ("cidrs", Form::Text),
            ("organization", Form::Own(ObjectType::Organization)),
            ("parent_handle", Form::Text),
            ("aggregate", Form::Core),
            ("prefix", Form::Core),
            ("covered_aggregates", Form::Cores),
        ],
        ObjectType::Customer => &[
            ("customer_name", Form::Text),
            ("network", Form::Own(ObjectType::Network)),
            ("address", Form::Own(ObjectType::Address)),
            ("private", Form::Flag),
        ],
    };
    let common = [
        ("key", Form::Text),
        ("handle", Form::Text),
        ("config", Form::Core),
        ("status", Form::Text),
        ("digest", Form::Text),
        ("registration_date", Form::Date),
    ];
    let dated = common.into_iter().filter(|(name, _)| *name != "registration_date" || object != ObjectType::Contact);
    dated.chain(own.iter().copied()).collect()
}

/// Reads a field. `key_of` finds the key of one of our rows by its id.
///
/// What is not there, is null, or does not have the form expected reads as [`Value::Empty`], and so is written anew.
pub(crate) fn read(json: &Json, form: Form, key_of: impl Fn(ObjectType, RowId) -> Option<Key>) -> Value {
    let value = match form {
        Form::Text => text(json).map(|text| Value::text(Some(text))),
        Form::Flag => json.as_bool().map(Value::Flag),
        Form::Number => json.as_i64().map(Value::Number),
        Form::Date => json.as_str().and_then(|text| text.parse().ok()).map(Value::Date),
        Form::Choices => json.as_array().map(|codes| {
            let codes: BTreeSet<String> = codes.iter().filter_map(text).map(str::to_owned).collect();
            if codes.is_empty() { Value::Empty } else { Value::Choices(codes) }
        }),
        Form::Own(object) => id(json).and_then(|id| key_of(object, id)).map(Value::OurRow),
        Form::Core => id(json).map(Value::NetBoxRow),
        Form::Cores => json.as_array().map(|rows| {
            let ids: BTreeSet<RowId> = rows.iter().filter_map(id).collect();
            if ids.is_empty() { Value::Empty } else { Value::NetBoxRows(ids) }
        }),
    };
    value.unwrap_or(Value::Empty)
}

/// Text as it is, or the code of a select, which NetBox may wrap as `{"value", "label"}`.
pub(crate) fn text(json: &Json) -> Option<&str> {
    json.as_str().or_else(|| json.get("value").and_then(Json::as_str))
}

/// The id of a row that is referred to, given as it is or nested.
pub(crate) fn id(json: &Json) -> Option<RowId> {
    json.as_u64().or_else(|| json.get("id").and_then(Json::as_u64)).map(RowId)
}

/// Writes fields. `id_of` finds the id of one of our rows; a reference that cannot be resolved is written as null.
pub fn body<'a>(
    object: ObjectType,
    fields: impl IntoIterator<Item = (&'a &'static str, &'a Value)>,
    id_of: impl Fn(ObjectType, &Key) -> Option<RowId>,
) -> Map<String, Json> {
    let forms: BTreeMap<&str, Form> = compared(object).into_iter().collect();
    let written = |name: &str, value: &Value| match (value, forms.get(name)) {
        (Value::Empty, Some(Form::Cores | Form::Choices)) => json!([]),
        (Value::OurRow(key), Some(Form::Own(target))) => json!(id_of(*target, key)),
        (Value::Empty | Value::OurRow(_), _) => Json::Null,
        (Value::Text(text), _) => json!(text),
        (Value::Flag(flag), _) => json!(flag),
        (Value::Number(number), _) => json!(number),
        (Value::Date(date), _) => json!(date.to_string()),
        (Value::Choices(codes), _) => json!(codes),
        (Value::NetBoxRow(id), _) => json!(id),
        (Value::NetBoxRows(ids), _) => json!(ids),
        (Value::Json(document), _) => document.clone(),
    };
    fields.into_iter().map(|(name, value)| ((*name).to_owned(), written(name, value))).collect()
}
