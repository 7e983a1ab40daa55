//! The rows of how prefixes stand in the routing registries, and of the route objects about the operator's own space.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    client::{Client, objects_path},
    error::Error,
    row::{Row, optional_reference, text, typed},
    schema::{PREFIX_HEALTH, ROUTE_OBJECT},
};
use crate::model::RowId;

/// The state of a row that is about something that is there.
pub const CURRENT: &str = "current";
/// The state of a row that is about something that is gone.
pub const REMOVED: &str = "removed";

/// How a range stands in the routing registries, as its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct HealthRow {
    #[serde(deserialize_with = "text")]
    pub key: String,
    #[serde(deserialize_with = "text")]
    pub range: String,
    #[serde(deserialize_with = "text")]
    pub verdict: String,
    #[serde(deserialize_with = "text")]
    pub level: String,
    #[serde(deserialize_with = "text")]
    pub advice: String,
    #[serde(deserialize_with = "text")]
    pub rpki: String,
    #[serde(deserialize_with = "text")]
    pub registration: String,
    #[serde(deserialize_with = "text")]
    pub expected_origins: String,
    #[serde(deserialize_with = "text")]
    pub found: String,
    /// [`CURRENT`] or [`REMOVED`].
    #[serde(deserialize_with = "text")]
    pub state: String,
    #[serde(deserialize_with = "optional_reference")]
    pub prefix: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    pub aggregate: Option<RowId>,
}

/// A route object about the operator's own space, as its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`types.toml` says what the fields are")]
pub struct RouteRow {
    #[serde(deserialize_with = "text")]
    pub key: String,
    #[serde(deserialize_with = "text")]
    pub range: String,
    #[serde(deserialize_with = "text")]
    pub origin: String,
    #[serde(deserialize_with = "text")]
    pub source: String,
    #[serde(deserialize_with = "text")]
    pub maintainers: String,
    #[serde(deserialize_with = "text")]
    pub rpki: String,
    #[serde(deserialize_with = "text")]
    pub last_modified: String,
    /// [`CURRENT`] or [`REMOVED`].
    #[serde(deserialize_with = "text")]
    pub state: String,
    #[serde(deserialize_with = "optional_reference")]
    pub asn: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    pub prefix: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    pub aggregate: Option<RowId>,
}

/// A row as it is recorded. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Recorded<T> {
    /// Its id.
    pub id: RowId,
    /// What it says.
    #[serde(flatten)]
    pub row: T,
}

/// One of the two.
pub trait RoutingRow: Clone + PartialEq + Serialize + DeserializeOwned + Send {
    /// The slug of its type.
    const SLUG: &'static str;
    /// The names of its fields.
    const FIELDS: &'static str;
    /// Its fields that lead to what belongs to the operator, who may delete it at any time.
    const LINKS: &'static [&'static str];

    /// Returns its key.
    fn key(&self) -> &str;

    /// Returns the row as it says that what it is about is gone; `None` if it says so already.
    #[must_use]
    fn removed(&self) -> Option<Self>;

    /// Returns its fields as they are written.
    fn body(&self) -> Row {
        match serde_json::to_value(self) {
            Ok(Value::Object(body)) => body,
            Ok(_) | Err(_) => Row::new(),
        }
    }
}

impl RoutingRow for HealthRow {
    const SLUG: &'static str = PREFIX_HEALTH;
    const FIELDS: &'static str =
        "id,key,range,verdict,level,advice,rpki,registration,expected_origins,found,state,prefix,aggregate";
    const LINKS: &'static [&'static str] = &["prefix", "aggregate"];

    fn key(&self) -> &str {
        &self.key
    }

    /// It is no danger any more, and nothing is to be done.
    fn removed(&self) -> Option<Self> {
        let (state, level) = (REMOVED.to_owned(), "none".to_owned());
        (self.state != REMOVED).then(|| Self { state, level, advice: String::new(), ..self.clone() })
    }
}

impl RoutingRow for RouteRow {
    const SLUG: &'static str = ROUTE_OBJECT;
    const FIELDS: &'static str = "id,key,range,origin,source,maintainers,rpki,last_modified,state,asn,prefix,aggregate";
    const LINKS: &'static [&'static str] = &["asn", "prefix", "aggregate"];

    fn key(&self) -> &str {
        &self.key
    }

    fn removed(&self) -> Option<Self> {
        (self.state != REMOVED).then(|| Self { state: REMOVED.to_owned(), ..self.clone() })
    }
}

impl Client {
    /// Reads the rows of a kind, in the order of their ids.
    ///
    /// # Errors
    /// When NetBox cannot be asked, does not have the type because `bootstrap` was never run, or a row cannot be read.
    pub async fn routing_rows<T: RoutingRow>(&self) -> Result<Vec<Recorded<T>>, Error> {
        let read = |row: Row| typed::<Recorded<T>>(&row);
        self.list_as(&objects_path(T::SLUG), &[("fields", T::FIELDS)], &read).await?.all()
    }
}
