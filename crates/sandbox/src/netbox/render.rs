//! Objects as NetBox answers them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    field::{Choices, Field, Kind},
    model::{CHOICE_SETS, Model, PREFIXES},
    page::Selection,
    store::Store,
    table::Row,
};

/// Writes objects with URLs that begin with `base`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renderer<'a> {
    pub(super) store: &'a Store,
    pub(super) base: &'a str,
}

impl Renderer<'_> {
    /// The object as an answer of its own endpoint.
    pub(super) fn object(&self, model: &Model, id: u64, row: &Row, selection: &Selection) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: &dyn Fn() -> Value| {
            let brief = ["id", "url", "display"].contains(&name) || model.brief.contains(&name);
            if selection.has(name, brief) {
                members.insert(name.to_owned(), value());
            }
        };
        put("id", &|| id.into());
        put("url", &|| self.url(model, id).into());
        put("display", &|| display(model, id, row).into());
        put("created", &|| time(row.created).into());
        put("last_updated", &|| time(row.updated).into());
        if !model.custom {
            put("display_url", &|| format!("{}/{}/{id}/", self.base, model.endpoint).into());
        }
        for (name, value) in &model.constants {
            put(name, &|| value.clone());
        }
        for (name, value) in computed(model, row) {
            put(name, &|| value.clone());
        }
        for field in &model.fields {
            put(&field.name, &|| self.value(field, row.get(&field.name)));
        }
        Value::Object(members)
    }

    fn url(&self, model: &Model, id: u64) -> String {
        format!("{}/api/{}/{id}/", self.base, model.endpoint)
    }

    fn value(&self, field: &Field, value: &Value) -> Value {
        match &field.kind {
            Kind::Object { target, .. } => value.as_u64().map_or(Value::Null, |id| self.nested(target, id)),
            Kind::Multiobject { target } => self.nested_all(target, value),
            Kind::Select(_) if value.is_null() => Value::Null,
            Kind::Select(choices) => choice(self.store, *choices, value),
            Kind::Multiselect(choices) => value
                .as_array()
                .map_or(Value::Null, |values| values.iter().map(|value| choice(self.store, *choices, value)).collect()),
            Kind::Text
            | Kind::Slug
            | Kind::Url
            | Kind::Integer { .. }
            | Kind::Decimal { .. }
            | Kind::Boolean
            | Kind::Date
            | Kind::DateTime
            | Kind::Json
            | Kind::Cidr
            | Kind::Pairs
            | Kind::TypeNames
            | Kind::Words(_) => value.clone(),
        }
    }

    /// The objects in the order of their own list.
    fn nested_all(&self, target: &str, value: &Value) -> Value {
        let linked: Vec<u64> = value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let Some(table) = self.store.table(target) else { return Value::Array(Vec::new()) };
        let ordered = super::order::sorted(&table.model, linked.iter().filter_map(|id| Some((*id, table.row(*id)?))));
        ordered.into_iter().map(|id| self.nested(target, id)).collect()
    }

    fn nested(&self, target: &str, id: u64) -> Value {
        let Some(table) = self.store.table(target) else { return Value::Null };
        table.row(id).map_or(Value::Null, |row| self.object(&table.model, id, row, &Selection::Brief))
    }
}

/// How NetBox names an object to people.
pub(super) fn display(model: &Model, id: u64, row: &Row) -> String {
    let name = model.primary.as_deref().map(|field| row.get(field)).unwrap_or(&Value::Null);
    match (name, row.text("rd")) {
        (Value::String(name), Some(rd)) if !model.custom => format!("{name} ({rd})"),
        (Value::String(name), _) if !name.is_empty() => name.clone(),
        (Value::Null | Value::String(_), _) => format!("{} {id}", model.title),
        (other, _) => other.to_string(),
    }
}

/// A time as the REST framework writes it.
pub(super) fn time(time: Timestamp) -> String {
    let whole = time.subsec_nanosecond() == 0;
    time.strftime(if whole { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" }).to_string()
}

/// What NetBox derives from other fields of its own models.
fn computed(model: &Model, row: &Row) -> Vec<(&'static str, Value)> {
    let family = row.text("prefix").filter(|_| !model.custom).map(|prefix| {
        let (value, label) = if prefix.contains(':') { (6, "IPv6") } else { (4, "IPv4") };
        ("family", json!({ "value": value, "label": label }))
    });
    let choices = row.get("extra_choices").as_array().filter(|_| model.endpoint == CHOICE_SETS);
    let choices = choices.map(|choices| ("choices_count", choices.len().into()));
    family.into_iter().chain(choices).collect()
}

fn choice(store: &Store, choices: Choices, value: &Value) -> Value {
    let label = match choices {
        Choices::Fixed(_) => value.as_str().map(capitalized),
        Choices::Set(id) => pairs(store, id).into_iter().find(|(known, _)| *known == *value).map(|(_, label)| label),
    };
    json!({ "value": value, "label": label.unwrap_or_default() })
}

/// The values and labels of a choice set.
pub(super) fn pairs(store: &Store, choice_set: u64) -> Vec<(Value, String)> {
    let row = store.table(CHOICE_SETS).and_then(|table| table.row(choice_set));
    let pairs = row.and_then(|row| row.get("extra_choices").as_array()).into_iter().flatten();
    pairs.filter_map(|pair| Some((pair.get(0)?.clone(), pair.get(1)?.as_str()?.to_owned()))).collect()
}

/// `active` as `Active`.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether an endpoint holds prefixes; they may be in a VRF.
pub(super) fn is_prefixes(model: &Model) -> bool {
    model.endpoint == PREFIXES
}
