//! The rows of findings: what is on record of where the address plan and the registry differ.

use std::borrow::Cow;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    client::{Client, objects_path},
    error::{Error, ErrorKind},
    row::{Row, optional_reference, optional_text, text, typed},
    schema::document::{Document, FINDING},
};
use crate::model::{Key, RowId};

/// The state of a finding that holds.
pub const OPEN: &str = "open";
/// The state of a finding that does not hold any more.
pub const RESOLVED: &str = "resolved";

/// A recorded finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct FindingRow {
    pub id: RowId,
    pub key: Key,
    pub subject: String,
    pub kind: Cow<'static, str>,
    pub level: Cow<'static, str>,
    /// [`OPEN`] or [`RESOLVED`].
    pub state: Cow<'static, str>,
    pub message: String,
    pub due: Option<Date>,
    pub since: Option<Timestamp>,
    pub since_at_least: bool,
    pub config: Option<RowId>,
    pub ignore: bool,
    pub note: String,
    pub names: Names,
    pub links: LinkedRows,
}

/// What the objects that a finding is about are called, those without a row included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "they are called so")]
pub struct Names {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// The rows that a finding is linked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub struct LinkedRows {
    pub prefix: Option<RowId>,
    pub aggregate: Option<RowId>,
    pub network: Option<RowId>,
    pub customer: Option<RowId>,
    pub organization: Option<RowId>,
    pub request: Option<RowId>,
    pub ticket: Option<RowId>,
}

/// The findings to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Only those that this config judged.
    pub config: Option<RowId>,
    /// Only those in this state.
    pub state: Option<String>,
}

/// A finding as NetBox writes it. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Deserialize)]
struct FindingFields {
    id: RowId,
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    subject: String,
    #[serde(deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    level: String,
    #[serde(deserialize_with = "text")]
    state: String,
    #[serde(deserialize_with = "text")]
    message: String,
    #[serde(deserialize_with = "Option::deserialize")]
    due: Option<Date>,
    #[serde(deserialize_with = "Option::deserialize")]
    since: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    since_at_least: Option<bool>,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    ignore: Option<bool>,
    #[serde(deserialize_with = "optional_text")]
    note: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    prefix: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    aggregate: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    network: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    customer: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    organization: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    request: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    ticket: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    names: Option<Names>,
}

/// The names of [`FindingFields`].
const FIELDS: &str = "id,key,subject,kind,level,state,message,due,since,since_at_least,config,ignore,note,\
                      prefix,aggregate,network,customer,organization,request,ticket,names";

impl From<FindingFields> for FindingRow {
    fn from(fields: FindingFields) -> Self {
        Self {
            id: fields.id,
            key: Key::recorded(fields.key),
            subject: fields.subject,
            kind: Document::code(fields.kind),
            level: Document::code(fields.level),
            state: Document::code(fields.state),
            message: fields.message,
            due: fields.due,
            since: fields.since,
            since_at_least: fields.since_at_least.unwrap_or_default(),
            config: fields.config,
            ignore: fields.ignore.unwrap_or_default(),
            note: fields.note.unwrap_or_default(),
            names: fields.names.unwrap_or_default(),
            links: LinkedRows {
                prefix: fields.prefix,
                aggregate: fields.aggregate,
                network: fields.network,
                customer: fields.customer,
                organization: fields.organization,
                request: fields.request,
                ticket: fields.ticket,
            },
        }
    }
}

impl Client {
    /// Reads the recorded findings that pass a filter, in the order of their ids.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or a row cannot be read.
    pub async fn finding_rows(&self, filter: &FindingFilter) -> Result<Vec<FindingRow>, Error> {
        let config = filter.config.map(|config| config.to_string());
        let wanted = [("config_id", config.as_deref()), ("state", filter.state.as_deref())];
        let given = wanted.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<(&str, &str)> = [("fields", FIELDS)].into_iter().chain(given).collect();
        let read = |row: Row| typed::<FindingFields>(&row).map(FindingRow::from);
        let mut rows = self.list_as(&objects_path(FINDING), &query, &read).await?.all()?;
        rows.retain(|row| filter.fits(row));
        Ok(rows)
    }
}

impl Client {
    /// Reads a recorded finding; `None` when there is none.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or the row cannot be read.
    pub async fn finding_row(&self, id: RowId) -> Result<Option<FindingRow>, Error> {
        let path = format!("{}{id}/", objects_path(FINDING));
        let Some(row) = self.get(&path).await? else { return Ok(None) };
        let malformed = |error| ErrorKind::Malformed("a finding", format!("row {id}"), Some(error));
        let row = typed::<FindingFields>(&row).map(FindingRow::from);
        row.map(Some).map_err(|error| Error::reading(path, malformed(error)))
    }
}

impl FindingFilter {
    fn fits(&self, row: &FindingRow) -> bool {
        self.config.is_none_or(|config| row.config == Some(config))
            && self.state.as_ref().is_none_or(|state| row.state == *state)
    }
}
