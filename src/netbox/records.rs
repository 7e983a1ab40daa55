//! Our own rows: the RIR configs, and what is recorded of registered objects.
//!
//! One that cannot be read is an error. A config would not be synced, a recorded row would be created twice or marked
//! as gone, and nobody would notice.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Number;

use super::{
    client::{Client, objects_path},
    error::Error,
    fields::{Record, Table, slug},
    row::{self, optional_reference, optional_text},
    schema::document::CONFIG,
};
use crate::model::{Config, Key, ObjectType, OrgHandle, Row, RowId};

/// The registry of a config that names none.
const DEFAULT_REGISTRY: &str = "arin";
/// The limits of an interval between syncs, in hours; ten years are as good as never.
const SHORTEST_INTERVAL: u64 = 1;
const LONGEST_INTERVAL: u64 = 10 * 365 * 24;

/// An RIR config with what is recorded of its syncs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "ConfigFields")]
pub struct ConfigRow {
    /// The config.
    pub config: Config,
    /// The result of its last sync.
    pub last_result: Option<String>,
}

/// A config as NetBox writes it. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Deserialize)]
struct ConfigFields {
    id: RowId,
    name: String,
    #[serde(deserialize_with = "optional_reference")]
    rir: Option<RowId>,
    #[serde(deserialize_with = "optional_text")]
    registry: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    api_url: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    org_handle: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    is_active: Option<bool>,
    /// In hours.
    #[serde(deserialize_with = "Option::deserialize")]
    sync_interval: Option<Number>,
    #[serde(deserialize_with = "Option::deserialize")]
    last_sync: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    refreshed: Option<Timestamp>,
    /// Missing until `bootstrap` has brought the types up to date.
    #[serde(default)]
    judged: Option<Timestamp>,
    #[serde(deserialize_with = "optional_text")]
    last_result: Option<String>,
}

impl From<ConfigFields> for ConfigRow {
    fn from(fields: ConfigFields) -> Self {
        let config = Config {
            id: fields.id,
            name: fields.name,
            rir: fields.rir,
            registry: fields.registry.unwrap_or_else(|| DEFAULT_REGISTRY.to_owned()),
            api_url: fields.api_url.unwrap_or_default(),
            org_handle: fields.org_handle.as_deref().and_then(OrgHandle::new),
            is_active: fields.is_active.unwrap_or(false),
            sync_interval: fields.sync_interval.as_ref().map(interval),
            last_sync: fields.last_sync,
            refreshed: fields.refreshed,
            judged: fields.judged,
        };
        Self { config, last_result: fields.last_result }
    }
}

/// Returns an interval of so many hours, within the limits that the type sets to new ones.
fn interval(hours: &Number) -> Duration {
    let above_all = hours.as_f64().is_some_and(|hours| hours > 0.0);
    let hours = hours.as_u64().unwrap_or(if above_all { LONGEST_INTERVAL } else { SHORTEST_INTERVAL });
    Duration::from_secs(hours.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL).saturating_mul(3600))
}

/// Returns whether it is an address that an operator made in NetBox's pages, which do not show the key. It says nothing
/// about what is registered.
fn made_by_operator(object: ObjectType, row: &row::Row) -> bool {
    object == ObjectType::Address && row.get("key").is_some_and(|key| key.as_str().unwrap_or_default().is_empty())
}

impl Client {
    /// Reads all RIR configs, in the order of their names.
    ///
    /// # Errors
    /// When NetBox cannot be asked, has no RIR configs because `bootstrap` was never run, or a config cannot be read.
    pub async fn configs(&self) -> Result<Vec<Config>, Error> {
        Ok(self.config_rows().await?.into_iter().map(|row| row.config).collect())
    }

    /// Reads all RIR configs with what is recorded of their syncs, in the order of their names.
    ///
    /// # Errors
    /// As [`Client::configs`].
    pub async fn config_rows(&self) -> Result<Vec<ConfigRow>, Error> {
        let mut configs = self.list_where(&objects_path(CONFIG), &[], |_: &ConfigRow| true).await?.all()?;
        configs.sort_by(|a, b| a.config.name.cmp(&b.config.name));
        Ok(configs)
    }

    /// Reads the recorded rows of all types, without the addresses that an operator made. References among them come as
    /// ids and leave as keys.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or a row cannot be read.
    pub async fn recorded(&self) -> Result<BTreeMap<ObjectType, BTreeMap<Key, Row>>, Error> {
        let load = async |object| {
            let table = Table::of(object);
            let query = table.query();
            let path = objects_path(slug(object));
            let read =
                |row: row::Row| if made_by_operator(object, &row) { Ok(None) } else { table.record(&row).map(Some) };
            let rows = self.list_as(&path, &[("fields", &query)], &read).await?.all()?;
            Ok::<_, Error>((object, rows.into_iter().flatten().collect::<Vec<_>>()))
        };
        let mut lists = try_join_all(ObjectType::ALL.map(load)).await?;
        let mut keys: HashMap<(ObjectType, RowId), Key> = HashMap::new();
        for (object, rows) in &lists {
            keys.extend(rows.iter().map(|record| ((*object, record.row.id), record.key.clone())));
        }
        for record in lists.iter_mut().flat_map(|(_, rows)| rows) {
            record.refer(|object, id| keys.get(&(object, id)).cloned());
        }
        let by_key = |rows: Vec<Record>| rows.into_iter().map(|record| (record.key, record.row)).collect();
        Ok(lists.into_iter().map(|(object, rows)| (object, by_key(rows))).collect())
    }
}
