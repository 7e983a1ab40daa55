//! Custom object types as schema documents describe them.

use jiff::Timestamp;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use crate::netbox::{
    field::{Choices, Field, Filter, Kind, OnDelete},
    model::{self, CHOICE_SETS, Model, PLUGIN},
    render::capitalized,
    store::Store,
};

/// A custom object type.
#[derive(Debug, Clone)]
pub(in crate::netbox) struct ObjectType {
    pub(super) id: u64,
    pub(super) slug: String,
    /// `name`, `version`, `verbose_name`, … as far as they are set.
    pub(super) attributes: Map<String, Value>,
    /// The fields as a document describes them, in the order they were added.
    pub(super) fields: Vec<Map<String, Value>>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

/// Why a document cannot be applied although it is well-formed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unresolvable(pub(super) String);

/// The attributes of a type, `slug` apart.
pub(super) const TYPE_ATTRIBUTES: [&str; 6] =
    ["name", "version", "verbose_name", "verbose_name_plural", "description", "group_name"];

impl ObjectType {
    pub(super) fn text(&self, attribute: &str) -> &str {
        text(&self.attributes, attribute)
    }

    /// The document it came from, as far as it was applied.
    pub(super) fn definition(&self) -> Map<String, Value> {
        let mut definition = self.attributes.clone();
        definition.retain(|name, value| TYPE_ATTRIBUTES.contains(&name.as_str()) && value != "");
        definition.insert("slug".to_owned(), self.slug.clone().into());
        definition.insert("fields".to_owned(), self.fields.iter().cloned().map(Value::Object).collect());
        definition
    }

    /// What the objects of the type are.
    pub(super) fn model(&self, store: &Store) -> Result<Model, Unresolvable> {
        let mut fields = Vec::new();
        for definition in &self.fields {
            fields.extend(self.columns(store, definition)?);
        }
        let primary = self.fields.iter().find(|field| field.get("primary") == Some(&Value::Bool(true)));
        Ok(Model {
            endpoint: format!("{PLUGIN}/{}", self.slug),
            reference: format!("custom-objects/{}", self.slug),
            object_type: self.object_type(),
            class: format!("Table{}Model", self.id),
            title: self.title(),
            fields,
            constants: model::object(json!({ "owner": null, "tags": [] })),
            brief: &[],
            order: &[],
            primary: primary.map(|field| text(field, "name").to_owned()),
            custom: true,
        })
    }

    pub(super) fn object_type(&self) -> String {
        format!("netbox_custom_objects.table{}model", self.id)
    }

    fn title(&self) -> String {
        match self.text("verbose_name") {
            "" => capitalized(self.text("name")),
            name => name.to_owned(),
        }
    }

    /// The fields of an object a definition stands for: one, and with a URL its title.
    fn columns(&self, store: &Store, definition: &Map<String, Value>) -> Result<Vec<Field>, Unresolvable> {
        let name = text(definition, "name");
        let field = Field {
            name: name.to_owned(),
            kind: self.kind(store, definition)?,
            required: flag(definition, "required"),
            nullable: !flag(definition, "required"),
            unique: flag(definition, "unique"),
            default: definition.get("default").cloned().unwrap_or(Value::Null),
            filter: match text(definition, "filter_logic") {
                "exact" => Filter::Whole,
                "disabled" => Filter::Off,
                _ => Filter::Part,
            },
            regex: regex(definition)?,
        };
        let field = match (&field.kind, &field.default) {
            (Kind::Multiobject { .. }, Value::Null) => Field { default: json!([]), ..field },
            (_, _) => field,
        };
        let title =
            (field.kind == Kind::Url).then(|| Field { nullable: false, ..Field::text(&format!("{name}_title")) });
        Ok(std::iter::once(field).chain(title).collect())
    }

    fn kind(&self, store: &Store, definition: &Map<String, Value>) -> Result<Kind, Unresolvable> {
        let (min, max) = (definition.get("validation_minimum"), definition.get("validation_maximum"));
        let whole = |limit: Option<&Value>| limit.and_then(Value::as_i64);
        let real = |limit: Option<&Value>| limit.and_then(Value::as_f64);
        Ok(match text(definition, "type") {
            "integer" => Kind::Integer { min: whole(min), max: whole(max) },
            "decimal" => Kind::Decimal { min: real(min), max: real(max) },
            "boolean" => Kind::Boolean,
            "date" => Kind::Date,
            "datetime" => Kind::DateTime,
            "url" => Kind::Url,
            "json" => Kind::Json,
            "select" => Kind::Select(choices(store, definition)?),
            "multiselect" => Kind::Multiselect(choices(store, definition)?),
            "object" => Kind::Object { target: self.target(store, definition)?, on_delete: on_delete(definition) },
            "multiobject" => Kind::Multiobject { target: self.target(store, definition)? },
            _ => Kind::Text,
        })
    }

    fn target(&self, store: &Store, definition: &Map<String, Value>) -> Result<String, Unresolvable> {
        let reference = text(definition, "related_object_type");
        let slug = reference.strip_prefix("custom-objects/");
        if slug == Some(self.slug.as_str()) {
            return Ok(format!("{PLUGIN}/{}", self.slug));
        }
        store.endpoint_of(reference).ok_or_else(|| {
            Unresolvable(match slug {
                Some(slug) => format!(
                    "Custom Object Type with slug '{slug}' not found in DB. Ensure it is created before adding fields that reference it."
                ),
                None => format!("ObjectType '{reference}' not found in DB."),
            })
        })
    }
}

fn choices(store: &Store, definition: &Map<String, Value>) -> Result<Choices, Unresolvable> {
    let name = text(definition, "choice_set");
    let sets = store.table(CHOICE_SETS).into_iter().flat_map(super::super::table::Table::rows);
    let found = sets.into_iter().find(|(_, row)| row.text("name") == Some(name));
    found.map(|(id, _)| Choices::Set(id)).ok_or_else(|| Unresolvable(format!("Choice set '{name}' not found in DB.")))
}

fn on_delete(definition: &Map<String, Value>) -> OnDelete {
    match text(definition, "on_delete_behavior") {
        "protect" => OnDelete::Protect,
        "cascade" => OnDelete::Cascade,
        _ => OnDelete::SetNull,
    }
}

/// NetBox takes Python's regular expressions; what the simpler ones here cannot do is refused, not passed over.
fn regex(definition: &Map<String, Value>) -> Result<Option<Regex>, Unresolvable> {
    match text(definition, "validation_regex") {
        "" => Ok(None),
        regex => Regex::new(regex)
            .map(Some)
            .map_err(|error| Unresolvable(format!("The in-memory NetBox cannot do {regex}: {error}"))),
    }
}

/// A text of a definition; empty when it is not there.
pub(super) fn text<'a>(definition: &'a Map<String, Value>, name: &str) -> &'a str {
    definition.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(definition: &Map<String, Value>, name: &str) -> bool {
    definition.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// What an attribute of a field is when a document does not name it.
pub(super) fn default_of(attribute: &str) -> Value {
    match attribute {
        "primary" | "required" | "unique" | "is_cloneable" | "deprecated" => false.into(),
        "weight" => 100.into(),
        "search_weight" => 500.into(),
        "filter_logic" => "loose".into(),
        "ui_visible" => "always".into(),
        "ui_editable" => "yes".into(),
        "on_delete_behavior" => "set_null".into(),
        "default" | "validation_minimum" | "validation_maximum" | "choice_set" | "related_object_type" => Value::Null,
        "related_object_filter" => Value::Null,
        _ => "".into(),
    }
}

/// The attributes of a field that its type has, besides `id`, `name` and `type`.
pub(super) fn attributes_of(kind: &str) -> Vec<&'static str> {
    let own: &[&str] = match kind {
        "text" | "longtext" => &["validation_regex"],
        "integer" | "decimal" => &["validation_minimum", "validation_maximum"],
        "select" | "multiselect" => &["choice_set"],
        "object" => &["related_object_type", "related_object_filter", "on_delete_behavior"],
        "multiobject" => &["related_object_type", "related_object_filter"],
        _ => &[],
    };
    [BASE_ATTRIBUTES, own].concat()
}

const BASE_ATTRIBUTES: &[&str] = &[
    "label",
    "description",
    "group_name",
    "primary",
    "required",
    "unique",
    "default",
    "weight",
    "search_weight",
    "filter_logic",
    "ui_visible",
    "ui_editable",
    "is_cloneable",
    "deprecated",
    "deprecated_since",
    "scheduled_removal",
];
