//! A row as NetBox writes it, and the forms that its values may have.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};

use crate::{model::RowId, outbound::excerpt::excerpt};

/// The most that is said of why something cannot be read, in characters.
const LONGEST_REASON: usize = 300;

/// A JSON object, as NetBox's rows are.
pub type Row = Map<String, Value>;

/// Returns the id of a row.
#[must_use]
pub fn id_of(row: &Row) -> Option<RowId> {
    row.get("id").and_then(Value::as_u64).map(RowId)
}

/// Reads a row in the form of `T`. The error names the field.
pub(super) fn typed<T: DeserializeOwned>(row: &Row) -> Result<T, serde_json::Error> {
    serde_path_to_error::deserialize(row).map_err(|error| shortened(&error))
}

/// Reads a whole document in the form of `T`.
pub(super) fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).map_err(|error| shortened(&error))
}

/// Returns an error that quotes little of what was sent, whatever that was.
fn shortened(error: &dyn fmt::Display) -> serde_json::Error {
    serde_json::Error::custom(excerpt(&error.to_string(), LONGEST_REASON))
}

/// A reference to a row: its id, or the row itself.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected the id of a row, or a row with an id")]
pub(super) enum Reference {
    Id(RowId),
    Nested { id: RowId },
}

/// Text, or the code of a choice, which NetBox wraps as `{"value", "label"}`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text or a choice")]
pub(super) enum Text {
    Plain(String),
    Choice { value: String },
}

impl From<Reference> for RowId {
    fn from(reference: Reference) -> Self {
        match reference {
            Reference::Id(id) | Reference::Nested { id } => id,
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text {
            Text::Plain(text) | Text::Choice { value: text } => text,
        }
    }
}

/// Reads a reference that has to be there.
pub(super) fn reference<'de, D: Deserializer<'de>>(json: D) -> Result<RowId, D::Error> {
    Reference::deserialize(json).map(RowId::from)
}

/// Reads a reference that may be null. With serde's `deserialize_with` the field itself has to be there.
pub(super) fn optional_reference<'de, D: Deserializer<'de>>(json: D) -> Result<Option<RowId>, D::Error> {
    Ok(Option::<Reference>::deserialize(json)?.map(RowId::from))
}

/// Reads text that may be null or empty. With serde's `deserialize_with` the field itself has to be there.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(json: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(json)?.map(String::from).filter(|text| !text.is_empty()))
}

/// Reads text that may be null; nothing is empty text.
pub(super) fn text<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    Ok(optional_text(json)?.unwrap_or_default())
}
