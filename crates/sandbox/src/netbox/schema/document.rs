//! The objects that a custom object type stands for.

use serde_json::{Map, Value, json};

use crate::netbox::{
    field::{Field, Kind},
    model::{CHOICE_SETS, Model, PLUGIN},
    object_type::{ObjectType, text},
    store::Store,
    table::Table,
};

/// The reason why a document cannot be applied: it names something that is not there.
#[derive(Debug)]
pub(super) struct Unresolvable(pub(super) String);

/// Returns what the objects of a type are.
pub(super) fn model(object_type: &ObjectType, store: &Store) -> Result<Model, Unresolvable> {
    let fields = object_type.fields.iter().map(|definition| field(object_type, store, definition));
    let primary = object_type.fields.iter().find(|field| field.get("primary") == Some(&Value::Bool(true)));
    Ok(Model {
        endpoint: format!("{PLUGIN}/{}", object_type.slug),
        reference: format!("custom-objects/{}", object_type.slug),
        object_type: object_type.object_type(),
        fields: fields.collect::<Result<_, _>>()?,
        primary: primary.map(|field| text(field, "name").to_owned()),
        custom: true,
    })
}

fn field(object_type: &ObjectType, store: &Store, definition: &Map<String, Value>) -> Result<Field, Unresolvable> {
    let flag = |name: &str| definition.get(name).and_then(Value::as_bool).unwrap_or(false);
    let kind = kind(object_type, store, definition)?;
    let default = match (&kind, definition.get("default")) {
        (Kind::Multiobject(_), None) => json!([]),
        (_, default) => default.cloned().unwrap_or_default(),
    };
    Ok(Field {
        name: text(definition, "name").to_owned(),
        kind,
        required: flag("required"),
        nullable: !flag("required"),
        unique: flag("unique"),
        default,
        exact: text(definition, "filter_logic") == "exact",
    })
}

fn kind(object_type: &ObjectType, store: &Store, definition: &Map<String, Value>) -> Result<Kind, Unresolvable> {
    let limit = |name: &str| definition.get(name).and_then(Value::as_i64);
    Ok(match text(definition, "type") {
        "integer" => Kind::Integer { min: limit("validation_minimum"), max: limit("validation_maximum") },
        "boolean" => Kind::Boolean,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "json" => Kind::Json,
        "select" => Kind::Select(Some(choice_set(store, definition)?)),
        "multiselect" => Kind::Multiselect(choice_set(store, definition)?),
        "object" => Kind::Object(target(object_type, store, definition)?),
        "multiobject" => Kind::Multiobject(target(object_type, store, definition)?),
        "text" | "longtext" => Kind::Text,
        other => return Err(Unresolvable(format!("The in-memory NetBox has no fields of type '{other}'."))),
    })
}

fn target(object_type: &ObjectType, store: &Store, definition: &Map<String, Value>) -> Result<String, Unresolvable> {
    let reference = text(definition, "related_object_type");
    let slug = reference.strip_prefix("custom-objects/");
    if slug == Some(object_type.slug.as_str()) {
        return Ok(format!("{PLUGIN}/{}", object_type.slug));
    }
    store.endpoint_of(reference).ok_or_else(|| {
        Unresolvable(match slug {
            Some(slug) => format!("Custom Object Type with slug '{slug}' not found in DB."),
            None => format!("ObjectType '{reference}' not found in DB."),
        })
    })
}

fn choice_set(store: &Store, definition: &Map<String, Value>) -> Result<u64, Unresolvable> {
    let name = text(definition, "choice_set");
    let mut sets = store.table(CHOICE_SETS).into_iter().flat_map(Table::rows);
    let found = sets.find(|(_, row)| row.text("name") == Some(name)).map(|(id, _)| id);
    found.ok_or_else(|| Unresolvable(format!("Choice set '{name}' not found in DB.")))
}
