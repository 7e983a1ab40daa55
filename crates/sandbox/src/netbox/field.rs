//! What a field of an object may hold.

use std::fmt;

use regex_lite::Regex;
use serde_json::Value;

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
    pub(super) filter: Filter,
    pub(super) regex: Option<Regex>,
}

/// What kind of value a field holds. Stored are: links as ids, selections as bare values, times in UTC.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text,
    Slug,
    Url,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Decimal {
        min: Option<f64>,
        max: Option<f64>,
    },
    Boolean,
    Date,
    DateTime,
    Json,
    Select(Choices),
    Multiselect(Choices),
    /// A link to an object of the endpoint.
    Object {
        target: String,
        on_delete: OnDelete,
    },
    /// Links to objects of the endpoint.
    Multiobject {
        target: String,
    },
    /// An IP prefix in canonical form.
    Cidr,
    /// The `[value, label]` pairs of a choice set.
    Pairs,
    /// Names of object types, `ipam.aggregate`.
    TypeNames,
    /// Some of these words.
    Words(&'static [&'static str]),
}

/// What the filter named like a text field wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// The whole text.
    Whole,
    /// A part of it, in any case.
    Part,
    /// Nothing: a field of whatever kind has no filters at all.
    Off,
}

/// Where the choices of a selection come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choices {
    /// The choice set with this id.
    Set(u64),
    /// Fixed values; NetBox labels them by the capitalized value.
    Fixed(&'static [&'static str]),
}

/// What becomes of an object when the one it points at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDelete {
    SetNull,
    Protect,
    Cascade,
}

impl Field {
    /// A field of NetBox's own models that may be left out.
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let (nullable, default) = match &kind {
            Kind::Text | Kind::Slug | Kind::Url => (false, Value::from("")),
            Kind::Boolean => (false, Value::Bool(false)),
            Kind::Pairs | Kind::TypeNames | Kind::Words(_) | Kind::Multiobject { .. } => {
                (false, Value::Array(Vec::new()))
            }
            Kind::Integer { .. }
            | Kind::Decimal { .. }
            | Kind::Date
            | Kind::DateTime
            | Kind::Json
            | Kind::Select(_)
            | Kind::Multiselect(_)
            | Kind::Object { .. }
            | Kind::Cidr => (true, Value::Null),
        };
        Self {
            name: name.to_owned(),
            kind,
            required: false,
            nullable,
            unique: false,
            default,
            filter: Filter::Whole,
            regex: None,
        }
    }

    pub(super) fn text(name: &str) -> Self {
        Self::new(name, Kind::Text)
    }

    pub(super) fn link(name: &str, target: &str, on_delete: OnDelete) -> Self {
        Self::new(name, Kind::Object { target: target.to_owned(), on_delete })
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, nullable: false, ..self }
    }

    pub(super) fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    pub(super) fn nullable(self) -> Self {
        Self { nullable: true, default: Value::Null, ..self }
    }

    pub(super) fn default(self, default: impl Into<Value>) -> Self {
        Self { default: default.into(), nullable: false, ..self }
    }

    /// The endpoint it points at, if it is a link or a list of links.
    pub(super) fn target(&self) -> Option<&str> {
        match &self.kind {
            Kind::Object { target, .. } | Kind::Multiobject { target } => Some(target),
            Kind::Text
            | Kind::Slug
            | Kind::Url
            | Kind::Integer { .. }
            | Kind::Decimal { .. }
            | Kind::Boolean
            | Kind::Date
            | Kind::DateTime
            | Kind::Json
            | Kind::Select(_)
            | Kind::Multiselect(_)
            | Kind::Cidr
            | Kind::Pairs
            | Kind::TypeNames
            | Kind::Words(_) => None,
        }
    }
}

impl fmt::Display for OnDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetNull => "set_null",
            Self::Protect => "protect",
            Self::Cascade => "cascade",
        })
    }
}
