//! The fields of our rows: how they are read, compared and written, all from the one table in `schema/types.toml`.

use std::{collections::BTreeSet, mem};

use jiff::Timestamp;
use serde::{Deserialize, de::Error as _};
use serde_json::{Error, Map, Value as Json, json};

use super::{
    row::{self, Reference, Text},
    schema::document::{ADDRESS, CONTACT, CUSTOMER, Document, Field, NETWORK, ORGANIZATION},
};
use crate::model::{Fields, Key, ObjectType, Row, RowId, Value};

/// When a row was last written and with whose API key. They are read, but say nothing about what is registered.
const STAMPS: [&str; 2] = ["last_synced", "synced_by"];

/// When the registry's public listing said that a network was last changed. It is read and written, and says nothing about
/// what is registered either.
pub(crate) const LISTED: &str = "listed";

/// The operator's link to the tenant that an object is. It is read only.
const TENANT: &str = "tenant";

/// The fields of one of our types that the sidecar owns, with their forms.
#[derive(Debug)]
pub(crate) struct Table {
    object: ObjectType,
    /// Its objects can be tenants.
    has_tenant: bool,
    fields: Vec<(&'static str, Form)>,
}

/// The form of a field on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Text, and a select by its code.
    Text,
    Flag,
    Number,
    Date,
    Time,
    /// A multiselect by its codes.
    Choices,
    /// A reference to one of our rows.
    OurRow(ObjectType),
    /// A reference to a row of NetBox, or to a config.
    NetBoxRow,
    NetBoxRows,
    Document,
}

/// Returns the last part of the path at which rows of this type are served.
pub(crate) fn slug(object: ObjectType) -> &'static str {
    match object {
        ObjectType::Address => ADDRESS,
        ObjectType::Organization => ORGANIZATION,
        ObjectType::Contact => CONTACT,
        ObjectType::Network => NETWORK,
        ObjectType::Customer => CUSTOMER,
    }
}

impl Form {
    fn of(field: &Field) -> Self {
        let target = field.of.as_deref().and_then(|of| of.strip_prefix("custom-objects/"));
        let ours = ObjectType::ALL.into_iter().find(|object| target == Some(slug(*object)));
        match field.kind.as_str() {
            "boolean" => Self::Flag,
            "integer" => Self::Number,
            "date" => Self::Date,
            "datetime" => Self::Time,
            "multiselect" => Self::Choices,
            "object" => ours.map_or(Self::NetBoxRow, Self::OurRow),
            "multiobject" => Self::NetBoxRows,
            "json" => Self::Document,
            _ => Self::Text,
        }
    }
}

impl Table {
    pub(crate) fn of(object: ObjectType) -> Self {
        let (users, ours): (Vec<_>, Vec<_>) =
            Document::current().fields_of(slug(object)).iter().partition(|field| field.user);
        let has_tenant = matches!(object, ObjectType::Organization | ObjectType::Customer)
            && users.iter().any(|field| field.name == TENANT);
        Self {
            object,
            has_tenant,
            fields: ours.into_iter().map(|field| (field.name.as_str(), Form::of(field))).collect(),
        }
    }

    /// Returns the names of the fields that say what is registered.
    #[cfg(test)]
    pub(crate) fn names(&self) -> BTreeSet<&'static str> {
        self.fields.iter().map(|(name, _)| *name).filter(|name| !STAMPS.contains(name) && *name != LISTED).collect()
    }

    /// Returns the fields that are read back to be compared. A document is not: the digest stands for it. Addresses are
    /// never changed, so their keys are all there is to know.
    fn compared(&self) -> impl Iterator<Item = (&'static str, Form)> {
        let key_only = self.object == ObjectType::Address;
        let says_more = move |name, form| !key_only && form != Form::Document && !STAMPS.contains(&name);
        self.fields.iter().copied().filter(move |(name, form)| *name == "key" || says_more(*name, *form))
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| *field == name)
    }

    /// Returns what [`Table::record`] needs of a row, for the query `fields`.
    pub(super) fn query(&self) -> String {
        let stamps = STAMPS.into_iter().filter(|name| self.has(name));
        let tenant = self.has_tenant.then_some(TENANT);
        let names = ["id"].into_iter().chain(stamps).chain(tenant).chain(self.compared().map(|(name, _)| name));
        names.collect::<Vec<_>>().join(",")
    }

    /// Reads a row, in which no field may be missing or have another form.
    pub(crate) fn record(&self, json: &row::Row) -> Result<Record, Error> {
        let (id, key) = (read(json, "id")?, read::<String>(json, "key")?);
        let (id, key) = id.zip(key).ok_or_else(|| Error::custom("key: there is none"))?;
        let row = Row { id, fields: Fields::new(), last_synced: None, synced_by: None, tenant: None };
        let mut record = Record { key: Key::recorded(key), row, references: Vec::new() };
        for (name, form) in self.compared() {
            let value = match form {
                Form::OurRow(object) => {
                    let id = read::<Reference>(json, name)?.map(RowId::from);
                    record.references.extend(id.map(|id| (name, object, id)));
                    Value::Empty
                }
                Form::Text | Form::Flag | Form::Number | Form::Date | Form::Choices => value(json, name, form)?,
                Form::NetBoxRow | Form::NetBoxRows | Form::Time | Form::Document => value(json, name, form)?,
            };
            record.row.fields.insert(name, value);
        }
        if self.has("last_synced") {
            record.row.last_synced = read::<Timestamp>(json, "last_synced")?;
            record.row.synced_by = read::<String>(json, "synced_by")?.filter(|user| !user.is_empty());
        }
        if self.has_tenant {
            record.row.tenant = read::<Reference>(json, TENANT)?.map(RowId::from);
        }
        Ok(record)
    }
}

/// A recorded row as it was read, before its references to our own rows are known by key.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) row: Row,
    references: Vec<(&'static str, ObjectType, RowId)>,
}

impl Record {
    /// Fills in the references to our own rows. `key_of` finds the key of one. A reference to one that has no key is as
    /// good as none, and so is written anew.
    pub(crate) fn refer(&mut self, key_of: impl Fn(ObjectType, RowId) -> Option<Key>) {
        for (name, object, id) in mem::take(&mut self.references) {
            if let Some(key) = key_of(object, id) {
                self.row.fields.insert(name, Value::OurRow(key));
            }
        }
    }
}

/// Reads a field, which has to be there, but may be null.
fn read<'a, T: Deserialize<'a>>(json: &'a row::Row, name: &str) -> Result<Option<T>, Error> {
    let value = json.get(name).ok_or_else(|| Error::custom(format!("missing field `{name}`")))?;
    Option::deserialize(value).map_err(|error| Error::custom(format!("{name}: {error}")))
}

/// Reads a field to be compared that holds no reference to one of our rows.
fn value(json: &row::Row, name: &str, form: Form) -> Result<Value, Error> {
    let value = match form {
        Form::Text => read::<Text>(json, name)?.map(|text| Value::text(Some(&String::from(text)))),
        Form::Flag => read(json, name)?.map(Value::Flag),
        Form::Number => read(json, name)?.map(Value::Number),
        Form::Date => read(json, name)?.map(Value::Date),
        Form::Choices => set::<Text, _>(json, name)?.map(Value::Choices),
        Form::NetBoxRow => read::<Reference>(json, name)?.map(|id| Value::NetBoxRow(id.into())),
        Form::NetBoxRows => set::<Reference, _>(json, name)?.map(Value::NetBoxRows),
        Form::OurRow(_) | Form::Time | Form::Document => None,
    };
    Ok(value.unwrap_or(Value::Empty))
}

/// Reads a list; an empty one is `None`.
fn set<'a, T: Deserialize<'a> + Into<V>, V: Ord>(json: &'a row::Row, name: &str) -> Result<Option<BTreeSet<V>>, Error> {
    let items = read::<Vec<T>>(json, name)?.filter(|items| !items.is_empty());
    Ok(items.map(|items| items.into_iter().map(Into::into).collect()))
}

/// Writes fields. `id_of` finds the id of one of our rows; a reference that cannot be resolved is written as null.
pub(crate) fn body<'a>(
    object: ObjectType,
    fields: impl IntoIterator<Item = (&'a &'static str, &'a Value)>,
    id_of: impl Fn(ObjectType, &Key) -> Option<RowId>,
) -> Map<String, Json> {
    let table = Table::of(object);
    let form_of = |name: &str| table.fields.iter().find(|(field, _)| *field == name).map(|(_, form)| *form);
    let written = |name: &str, value: &Value| match (value, form_of(name)) {
        (Value::Empty, Some(Form::NetBoxRows | Form::Choices)) => json!([]),
        (Value::OurRow(key), Some(Form::OurRow(target))) => json!(id_of(target, key)),
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
