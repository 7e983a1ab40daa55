//! The rows of findings: what is on record of where the address plan and the registry differ.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;

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
    pub links: LinkedObjects,
}

/// What a finding leads to: its field in NetBox, and in `names`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Linked {
    Prefix,
    Aggregate,
    Network,
    Customer,
    Organization,
    Request,
    Ticket,
}

/// The objects that a finding is about, by which it is found from these. Most findings have one or two of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedObjects(Box<[LinkedObject]>);

/// An object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LinkedObject {
    what: Linked,
    /// Its row; `None` for one that has none, and for one that was deleted.
    row: Option<RowId>,
    /// A range, a handle or a number.
    name: Option<Box<str>>,
}

impl Linked {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Prefix, Self::Aggregate, Self::Network, Self::Customer, Self::Organization, Self::Request, Self::Ticket];

    /// Returns the name of its field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Aggregate => "aggregate",
            Self::Network => "network",
            Self::Customer => "customer",
            Self::Organization => "organization",
            Self::Request => "request",
            Self::Ticket => "ticket",
        }
    }
}

impl LinkedObjects {
    /// Takes up the objects that have a row or a name.
    pub fn of<'a>(all: impl IntoIterator<Item = (Linked, Option<RowId>, Option<&'a str>)>) -> Self {
        let known = all.into_iter().filter(|(_, row, name)| row.is_some() || name.is_some());
        let mut objects: Vec<LinkedObject> =
            known.map(|(what, row, name)| LinkedObject { what, row, name: name.map(Box::from) }).collect();
        objects.sort_by_key(|object| object.what);
        Self(objects.into())
    }

    /// Returns the row of one; `None` when there is none.
    #[must_use]
    pub fn row(&self, what: Linked) -> Option<RowId> {
        self.0.iter().find(|object| object.what == what)?.row
    }

    /// Returns what one is called, even if it has no row.
    #[must_use]
    pub fn name(&self, what: Linked) -> Option<&str> {
        self.0.iter().find(|object| object.what == what)?.name.as_deref()
    }

    /// Returns what those are called that have a name.
    pub fn names(&self) -> impl Iterator<Item = (Linked, &str)> {
        self.0.iter().filter_map(|object| Some((object.what, object.name.as_deref()?)))
    }
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
    names: Option<BTreeMap<String, Option<String>>>,
}

/// The names of [`FindingFields`].
const FIELDS: &str = "id,key,subject,kind,level,state,message,due,since,since_at_least,config,ignore,note,\
                      prefix,aggregate,network,customer,organization,request,ticket,names";

impl From<FindingFields> for FindingRow {
    fn from(fields: FindingFields) -> Self {
        let name = |what: Linked| fields.names.as_ref()?.get(what.name())?.as_deref();
        let row = |what| match what {
            Linked::Prefix => fields.prefix,
            Linked::Aggregate => fields.aggregate,
            Linked::Network => fields.network,
            Linked::Customer => fields.customer,
            Linked::Organization => fields.organization,
            Linked::Request => fields.request,
            Linked::Ticket => fields.ticket,
        };
        let links = LinkedObjects::of(Linked::ALL.map(|what| (what, row(what), name(what))));
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
            links,
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
