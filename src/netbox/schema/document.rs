//! The document that describes our types, choice sets and custom links, and the plugin's portable schema made of it.
//!
//! `types.toml` is the text that a person reads and edits; its head explains the words. [`Document::schema`] spells the
//! types out in the form that the plugin takes.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Value, json};

/// Slug of the RIR configs.
pub const CONFIG: &str = "rir-config";
/// Slug of the addresses.
pub const ADDRESS: &str = "rir-address";
/// Slug of the organizations.
pub const ORGANIZATION: &str = "rir-organization";
/// Slug of the contacts.
pub const CONTACT: &str = "rir-contact";
/// Slug of the networks.
pub const NETWORK: &str = "rir-network";
/// Slug of the customers.
pub const CUSTOMER: &str = "rir-customer";
/// Slug of the change requests.
pub const CHANGE_REQUEST: &str = "rir-change-request";
/// Slug of the tickets.
pub const TICKET: &str = "rir-ticket";
/// Slug of the findings.
pub const FINDING: &str = "rir-finding";
/// Slug of what is known of how completely the registry was asked.
pub const LOOK: &str = "rir-look";
/// Slug of the sources of routing registries.
pub const IRR_SOURCE: &str = "rir-irr-source";
/// Slug of how prefixes stand in the routing registries.
pub const PREFIX_HEALTH: &str = "rir-prefix-health";
/// Slug of the route objects about the operator's own space.
pub const ROUTE_OBJECT: &str = "rir-route-object";
/// Slug of the sync log.
pub const SYNC_LOG: &str = "rir-sync-log";

/// The slugs of all types.
pub const TYPES: [&str; 14] = [
    CONFIG,
    ADDRESS,
    ORGANIZATION,
    CONTACT,
    NETWORK,
    CUSTOMER,
    CHANGE_REQUEST,
    TICKET,
    FINDING,
    LOOK,
    IRR_SOURCE,
    PREFIX_HEALTH,
    ROUTE_OBJECT,
    SYNC_LOG,
];

#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static CURRENT: LazyLock<Document> =
    LazyLock::new(|| Document::parse(include_str!("types.toml")).expect("types.toml is a document"));
/// The codes of all choices in it.
static CODES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let choices = CURRENT.choice_sets.iter().flat_map(|set| &set.choices);
    choices.map(|choice| choice.value.as_str()).collect()
});
/// Room between the weights of neighbouring fields, for an operator's own.
const WEIGHT_STEP: usize = 10;

/// Types, choice sets and custom links as NetBox should have them; `types.toml` explains the words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    version: String,
    group: String,
    #[serde(default, rename = "choice_set")]
    pub(super) choice_sets: Vec<ChoiceSet>,
    /// The types; what a type refers to comes before it.
    #[serde(rename = "type")]
    pub(super) types: Vec<TypeSpec>,
    #[serde(default, rename = "link")]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceSet {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    /// NetBox's name of the colour it is shown in; only versions from 4.6 on have colours.
    pub(super) color: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeSpec {
    pub(super) slug: String,
    name: String,
    singular: String,
    plural: String,
    about: String,
    /// Jinja template of an object's name, for when one field does not make a good one.
    pub(super) display: Option<String>,
    fields: Vec<Field>,
    #[serde(default)]
    removed: Vec<Removed>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::netbox) struct Field {
    id: u32,
    pub(in crate::netbox) name: String,
    #[serde(rename = "type")]
    pub(in crate::netbox) kind: String,
    /// The choice set of a select, or the type of objects referred to.
    pub(in crate::netbox) of: Option<String>,
    label: Option<String>,
    group: Option<String>,
    about: Option<String>,
    default: Option<Value>,
    regex: Option<String>,
    minimum: Option<i64>,
    maximum: Option<i64>,
    search: Option<u32>,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    pub(in crate::netbox) user: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    if_set: bool,
    #[serde(default)]
    exact: bool,
}

/// A field that a type once had, so that its id is never used again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    id: u32,
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// A custom link, whose text and target are Jinja templates; empty text hides it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) name: String,
    /// Slug of the type whose objects have it.
    #[serde(rename = "type")]
    pub(super) slug: String,
    pub(super) text: String,
    pub(super) url: String,
}

impl Document {
    /// Returns the one that this program needs.
    #[must_use]
    pub fn current() -> &'static Self {
        &CURRENT
    }

    /// Returns its version, which is raised with each change.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the fields of a type.
    pub(in crate::netbox) fn fields_of(&self, slug: &str) -> &[Field] {
        self.types.iter().find(|spec| spec.slug == slug).map_or(&[], |spec| &spec.fields)
    }

    /// Returns the code of a choice. Those that are in the current document are not held once more: there may be very many
    /// rows.
    pub(in crate::netbox) fn code(text: String) -> Cow<'static, str> {
        match CODES.get(text.as_str()) {
            Some(code) => Cow::Borrowed(code),
            None => Cow::Owned(text),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is not TOML, or has words of its own.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Returns the plugin's portable schema of the types whose slugs are wanted.
    pub(super) fn schema(&self, wanted: impl Fn(&str) -> bool) -> Value {
        let types: Vec<Value> =
            self.types.iter().filter(|spec| wanted(&spec.slug)).map(|spec| spec.schema(self)).collect();
        json!({ "schema_version": "1", "types": types })
    }
}

impl TypeSpec {
    /// Returns the names of its fields.
    pub(super) fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Returns its fields that refer to a single object of a custom object type, with the slug of that type.
    pub(super) fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        let single = self.fields.iter().filter(|field| field.kind == "object");
        single.filter_map(|field| Some((field.name.as_str(), field.of.as_deref()?.strip_prefix("custom-objects/")?)))
    }

    fn schema(&self, document: &Document) -> Value {
        let removed = |field: &Removed| json!({ "id": field.id, "name": field.name, "type": field.kind });
        json!({
            "name": self.name,
            "slug": self.slug,
            "version": document.version,
            "verbose_name": self.singular,
            "verbose_name_plural": self.plural,
            "description": self.about,
            "group_name": document.group,
            "fields": self.fields.iter().enumerate().map(|(place, field)| field.schema(place)).collect::<Vec<_>>(),
            "removed_fields": self.removed.iter().map(removed).collect::<Vec<_>>(),
        })
    }
}

impl Field {
    /// Spells the field out; what is left out has the plugin's default.
    fn schema(&self, place: usize) -> Value {
        let of = match self.kind.as_str() {
            "select" | "multiselect" => "choice_set",
            _ => "related_object_type",
        };
        let mut schema = json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            of: self.of,
            "label": self.label,
            "group_name": self.group,
            "description": self.about,
            "default": self.default,
            "validation_regex": self.regex,
            "validation_minimum": self.minimum,
            "validation_maximum": self.maximum,
            "weight": 100 + WEIGHT_STEP * place,
            "search_weight": self.search.unwrap_or(0),
            "filter_logic": if self.exact { "exact" } else { "loose" },
            "ui_visible": if self.hidden { "hidden" } else if self.if_set { "if-set" } else { "always" },
            "ui_editable": if self.hidden { "hidden" } else if self.user { "yes" } else { "no" },
            "primary": self.primary,
            "required": self.required,
            "unique": self.unique,
            // A deletion in NetBox may leave an empty reference, and must never take our rows along.
            "on_delete_behavior": (self.kind == "object").then_some("set_null"),
        });
        if let Some(schema) = schema.as_object_mut() {
            schema.retain(|_, value| !value.is_null());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_of_the_document_are_not_held_once_more() {
        let document = Document::current();
        for choice in document.choice_sets.iter().flat_map(|set| &set.choices) {
            assert!(matches!(Document::code(choice.value.clone()), Cow::Borrowed(code) if code == choice.value));
        }
        assert!(
            matches!(Document::code("of-a-later-version".to_owned()), Cow::Owned(code) if code == "of-a-later-version")
        );
    }

    #[test]
    fn every_slug_has_a_type_in_an_order_in_which_references_point_backwards() {
        let document = Document::current();
        let slugs: Vec<&str> = document.types.iter().map(|spec| spec.slug.as_str()).collect();
        assert_eq!(slugs, TYPES);
        for (place, spec) in document.types.iter().enumerate() {
            for target in spec.fields.iter().filter_map(|field| field.of.as_deref()?.strip_prefix("custom-objects/")) {
                assert!(slugs[..place].contains(&target), "{} refers to {target}", spec.slug);
            }
        }
    }

    #[test]
    fn no_id_or_name_stands_for_two_fields() {
        for spec in &Document::current().types {
            let removed = spec.removed.iter().map(|field| field.id);
            let ids: Vec<u32> = spec.fields.iter().map(|field| field.id).chain(removed).collect();
            let names: BTreeSet<&str> = spec.fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}", spec.slug);
            assert_eq!(names.len(), spec.fields.len(), "{}", spec.slug);
        }
    }

    #[test]
    fn ids_above_999_are_left_to_the_operator() {
        for spec in &Document::current().types {
            assert_eq!(spec.fields.iter().map(|field| field.id).max(), Some(999), "{}", spec.slug);
        }
    }

    #[test]
    fn every_choice_set_a_field_names_is_there() {
        let document = Document::current();
        let sets: BTreeSet<&str> = document.choice_sets.iter().map(|set| set.name.as_str()).collect();
        for field in document.types.iter().flat_map(|spec| &spec.fields).filter(|field| field.kind.ends_with("select"))
        {
            assert!(sets.contains(field.of.as_deref().unwrap()), "{}", field.name);
        }
    }

    #[test]
    fn every_type_has_one_field_that_names_its_objects_and_one_that_is_unique() {
        for spec in &Document::current().types {
            let count = |is: fn(&Field) -> bool| spec.fields.iter().filter(|field| is(field)).count();
            assert_eq!((count(|field| field.primary), count(|field| field.unique)), (1, 1), "{}", spec.slug);
        }
    }

    #[test]
    fn names_that_netbox_needs_itself_are_not_used() {
        let reserved = [
            "id",
            "url",
            "display",
            "owner",
            "created",
            "last_updated",
            "tags",
            "contacts",
            "images",
            "jobs",
            "objects",
        ];
        for field in Document::current().types.iter().flat_map(|spec| &spec.fields) {
            assert!(!reserved.contains(&field.name.as_str()), "{}", field.name);
        }
    }

    #[test]
    fn a_field_spelled_out_is_what_the_plugin_takes() {
        let text = r#"version = "1.0.0"
            group = "G"
            type = [{ slug = "t", name = "t", singular = "T", plural = "Ts", about = "", fields = [
                { id = 1, name = "prefix", type = "object", of = "ipam/prefix" }] }]"#;
        let schema = Document::parse(text).unwrap().schema(|_| true);
        let spelled_out = json!({
            "filter_logic": "loose", "id": 1, "name": "prefix", "on_delete_behavior": "set_null", "primary": false,
            "related_object_type": "ipam/prefix", "required": false, "search_weight": 0, "type": "object",
            "ui_editable": "no", "ui_visible": "always", "unique": false, "weight": 100,
        });
        assert_eq!(schema["types"][0]["fields"][0], spelled_out);
    }
}
