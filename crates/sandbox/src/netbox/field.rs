//! The fields of objects and the values they may hold.

use serde_json::{Map, Value};

/// The field with an object's tags.
pub(super) const TAGS_FIELD: &str = "tags";

/// One field of a [`Model`](super::model::Model).
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Has to be sent when an object is created.
    pub(super) required: bool,
    pub(super) nullable: bool,
    pub(super) unique: bool,
    /// Stored when the field is not sent.
    pub(super) default: Value,
    /// True if the filter of a text wants the whole of it, false if any part will do.
    pub(super) exact: bool,
}

/// The kind of value that a field holds. Stored are: links as ids, selections as bare values, times in UTC.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Boolean,
    Date,
    DateTime,
    Json,
    /// One of the choices of the set with this id; without a set, any word.
    Select(Option<u64>),
    /// One of these words, as a choice of NetBox's own.
    Choice(&'static [&'static str]),
    /// Some of the choices of the set with this id.
    Multiselect(u64),
    /// A link to an object of this endpoint.
    Object(String),
    /// Links to objects of this endpoint.
    Multiobject(String),
    /// An IP prefix in canonical form.
    Cidr,
    /// The values of the custom fields that objects of this type have, by the names of the fields.
    CustomFields(&'static str),
}

impl Field {
    /// A field of NetBox's own models that may be left out.
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let default = match &kind {
            Kind::Text => Value::from(""),
            Kind::Boolean => Value::Bool(false),
            Kind::Multiobject(_) if name == TAGS_FIELD => Value::Array(Vec::new()),
            Kind::CustomFields(_) => Value::Object(Map::new()),
            Kind::Integer { .. }
            | Kind::Date
            | Kind::DateTime
            | Kind::Json
            | Kind::Select(_)
            | Kind::Choice(_)
            | Kind::Multiselect(_)
            | Kind::Object(_)
            | Kind::Multiobject(_)
            | Kind::Cidr => Value::Null,
        };
        let nullable = default.is_null();
        Self { name: name.to_owned(), kind, required: false, nullable, unique: false, default, exact: true }
    }

    pub(super) fn text(name: &str) -> Self {
        Self::new(name, Kind::Text)
    }

    pub(super) fn link(name: &str, target: &str) -> Self {
        Self::new(name, Kind::Object(target.to_owned()))
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, nullable: false, ..self }
    }

    pub(super) fn default(self, default: impl Into<Value>) -> Self {
        Self { default: default.into(), ..self }
    }

    /// Returns the endpoint it points at, if it is a link or a list of links.
    pub(super) fn target(&self) -> Option<&str> {
        if let Kind::Object(target) | Kind::Multiobject(target) = &self.kind { Some(target) } else { None }
    }
}
