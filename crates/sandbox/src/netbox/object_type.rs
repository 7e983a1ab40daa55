//! Custom object types as schema documents describe them.

use serde_json::{Map, Value};

/// A custom object type.
#[derive(Debug, Clone)]
pub(super) struct ObjectType {
    pub(super) id: u64,
    pub(super) slug: String,
    /// `name`, `version`, `verbose_name`, … as far as they are set, and the display expression.
    pub(super) attributes: Map<String, Value>,
    /// The fields as a document describes them, in the order they were added.
    pub(super) fields: Vec<Map<String, Value>>,
}

/// The attributes of a type, `slug` apart.
pub(super) const TYPE_ATTRIBUTES: [&str; 6] =
    ["name", "version", "verbose_name", "verbose_name_plural", "description", "group_name"];

impl ObjectType {
    pub(super) fn text(&self, attribute: &str) -> &str {
        text(&self.attributes, attribute)
    }

    /// Returns the name that the change log has for its objects.
    pub(super) fn object_type(&self) -> String {
        format!("netbox_custom_objects.table{}model", self.id)
    }
}

/// Returns a text of a definition; empty when it is not there.
pub(super) fn text<'a>(definition: &'a Map<String, Value>, name: &str) -> &'a str {
    definition.get(name).and_then(Value::as_str).unwrap_or_default()
}
