//! The rows of the sources of routing registries that are mirrored, each with the name of its source as its key.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    client::{Client, objects_path},
    error::Error,
    row::{Row, text, typed},
    schema::document::IRR_SOURCE,
    write::{Draft, Patch, Refusal},
};
use crate::model::RowId;

/// The state of a source that is up to date.
pub const FRESH: &str = "fresh";
/// The state of a source that something keeps from being up to date.
pub const BEHIND: &str = "behind";
/// The state of a source of which a dump was refused that a person may accept.
pub const REFUSED: &str = "refused";
/// The state of a source that is not mirrored any more.
pub const REMOVED: &str = "removed";

/// How a source stands, as its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct IrrSourceRow {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub kind: String,
    /// [`FRESH`], [`BEHIND`], [`REFUSED`] or [`REMOVED`].
    #[serde(deserialize_with = "text")]
    pub state: String,
    #[serde(deserialize_with = "text")]
    pub message: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub serial: Option<i64>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub object_count: Option<i64>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub last_checked: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub last_changed: Option<Timestamp>,
}

/// A row as it is recorded. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordedIrrSource {
    /// Its id.
    pub id: RowId,
    /// When it was last written, by us or anybody else.
    pub last_updated: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub row: IrrSourceRow,
}

/// The names of [`RecordedIrrSource`].
const FIELDS: &str = "id,last_updated,name,kind,state,message,serial,object_count,last_checked,last_changed";

impl IrrSourceRow {
    fn body(&self) -> Row {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let fields = json!({
            "key": self.name,
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "message": self.message,
            "serial": self.serial,
            "object_count": self.object_count,
            "last_checked": time(self.last_checked),
            "last_changed": time(self.last_changed),
        });
        fields.as_object().cloned().unwrap_or_default()
    }
}

impl Client {
    /// Reads the rows of all sources, by name.
    ///
    /// # Errors
    /// When NetBox cannot be asked, does not have the type because `bootstrap` was never run, or a row cannot be read.
    pub async fn irr_source_rows(&self) -> Result<BTreeMap<String, RecordedIrrSource>, Error> {
        let read = |row: Row| typed::<RecordedIrrSource>(&row);
        let rows = self.list_as(&objects_path(IRR_SOURCE), &[("fields", FIELDS)], &read).await?.all()?;
        Ok(rows.into_iter().map(|recorded| (recorded.row.name.clone(), recorded)).collect())
    }

    /// Writes the row of a source: a new one where there is no id.
    ///
    /// # Errors
    /// When NetBox does not take it.
    pub async fn write_irr_source(&self, id: Option<RowId>, row: &IrrSourceRow, message: &str) -> Result<(), Refusal> {
        let (writer, key, body) = (self.writer(IRR_SOURCE, message), row.name.clone(), row.body());
        let mut written = match id {
            Some(id) => writer.update(vec![Patch { id, key, body }]).await,
            None => writer.create(vec![Draft { key, body }]).await.into_iter().map(|made| made.map(drop)).collect(),
        };
        written.pop().unwrap_or(Err(Refusal::NotSent))
    }
}
