//! Reads what a sync needs to know of NetBox, in as few and small requests as will do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{
    Client, Error,
    objects::{self, Form},
    objects_path, schema,
};
use crate::model::{Aggregate, Config, Key, ObjectType, OrgHandle, Prefix, Row, RowId, Scope};

const AGGREGATES: &str = "/api/ipam/aggregates/";
const PREFIXES: &str = "/api/ipam/prefixes/";
const CHANGES: &str = "/api/core/object-changes/";
/// Aggregates whose prefixes are asked for at once: NetBox has few workers, and each answer costs it CPU.
const LISTINGS_IN_FLIGHT: usize = 4;
/// A full page of prefixes costs NetBox no more than listing those inside so many aggregates.
const RANGES_TO_A_PAGE: usize = 2;
const PREFIX_FIELDS: &str = "id,prefix,vrf";
/// Ids named in one query, so that its URL stays well below what web servers take (4 KiB with gunicorn).
const IDS_IN_A_QUERY: usize = 200;

/// An RIR config with what is recorded of its syncs.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigRow {
    /// The config.
    pub config: Config,
    /// How its last sync ended.
    pub last_result: Option<String>,
}

impl Client {
    /// Reads all RIR configs, in the order of their names.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or has no RIR configs because `bootstrap` was never run.
    pub async fn configs(&self) -> Result<Vec<Config>, Error> {
        Ok(self.config_rows().await?.into_iter().map(|row| row.config).collect())
    }

    /// Reads all RIR configs with what is recorded of their syncs, in the order of their names.
    ///
    /// # Errors
    /// As [`Client::configs`].
    pub async fn config_rows(&self) -> Result<Vec<ConfigRow>, Error> {
        let rows = self.list(&objects_path(schema::CONFIG), &[]).await?;
        let mut configs: Vec<ConfigRow> = rows.iter().filter_map(config_row).collect();
        configs.sort_by(|a, b| a.config.name.cmp(&b.config.name));
        Ok(configs)
    }

    /// Reads the aggregates of an RIR, and the prefixes in scope inside them.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn ground(&self, rir: RowId, scope: &Scope) -> Result<(Vec<Aggregate>, Vec<Prefix>), Error> {
        let aggregates = self.aggregates(rir).await?;
        let ranges = |wanted: &dyn Fn(&Aggregate) -> bool| -> Vec<IpNet> {
            aggregates.iter().filter(|aggregate| wanted(aggregate)).map(|aggregate| aggregate.prefix).collect()
        };
        let around = match scope {
            Scope::Config => ranges(&|_| true),
            Scope::Aggregate(id) => ranges(&|aggregate| aggregate.id == *id),
            Scope::Prefixes(ids) => {
                let prefixes = self.prefixes_of(ids).await?;
                ranges(&|aggregate| prefixes.iter().any(|prefix| aggregate.prefix.contains(&prefix.prefix)))
            }
        };
        let prefixes = self.prefixes(&around).await?;
        Ok((aggregates, prefixes))
    }

    /// Finds the RIR of an aggregate; `None` when there is no such aggregate.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn rir_of_aggregate(&self, id: RowId) -> Result<Option<RowId>, Error> {
        let rows = self.list(AGGREGATES, &[("id", &id.to_string()), ("fields", "id,rir")]).await?;
        let this = rows.iter().find(|row| row_id(row) == Some(id));
        Ok(this.and_then(|row| row.get("rir")).and_then(objects::id))
    }

    /// Finds the RIR of the aggregate around a prefix; `None` when there is no such prefix, or no aggregate around it.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn rir_of_prefix(&self, id: RowId) -> Result<Option<RowId>, Error> {
        Ok(self.rirs_of_prefixes(&BTreeSet::from([id])).await?.into_values().next())
    }

    /// Finds the RIR of the aggregate around each of these prefixes. What is no prefix, or has no aggregate around it, is
    /// left out.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn rirs_of_prefixes(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, RowId>, Error> {
        let prefixes = self.prefixes_of(ids).await?;
        if prefixes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = self.list(AGGREGATES, &[("fields", "id,prefix,rir")]).await?;
        let rir_around = |prefix: &Prefix| {
            let around = rows.iter().find(|row| cidr(row).is_some_and(|range| range.contains(&prefix.prefix)))?;
            Some((prefix.id, around.get("rir").and_then(objects::id)?))
        };
        Ok(prefixes.iter().filter_map(rir_around).collect())
    }

    /// Removes log rows of a config that were written before a time. Gives how many.
    ///
    /// # Errors
    /// When NetBox cannot be asked. That a row could not be removed is no error: the next run tries again.
    pub async fn prune_log(&self, config: RowId, before: Timestamp, message: &str) -> Result<usize, Error> {
        let config_id = config.to_string();
        let query =
            [("config_id", &*config_id), ("created__lt", &*before.to_string()), ("fields", "id,config,created")];
        let rows = self.list(&objects_path(schema::SYNC_LOG), &query).await?;
        // A filter that NetBox does not know is ignored, and everything comes back.
        let old = |row: &&super::Row| {
            let created = text(row, "created").and_then(|text| text.parse::<Timestamp>().ok());
            row.get("config").and_then(objects::id) == Some(config) && created.is_some_and(|created| created < before)
        };
        let ids: Vec<u64> = rows.iter().filter(old).filter_map(row_id).map(|id| id.0).collect();
        let results = self.writer(schema::SYNC_LOG, message).delete(&ids).await;
        Ok(results.iter().filter(|result| result.is_ok()).count())
    }

    /// Reads the change log of a type of objects from a time on, the oldest first.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn changes(&self, object_type: &str, from: Timestamp) -> Result<Vec<super::Row>, Error> {
        let query = [("changed_object_type", object_type), ("time_after", &*from.to_string())];
        let rows = self.list(CHANGES, &query).await?;
        // A filter that NetBox does not know is ignored, and everything comes back.
        Ok(rows.into_iter().filter(|row| text(row, "changed_object_type") == Some(object_type)).collect())
    }

    async fn prefixes_of(&self, ids: &BTreeSet<RowId>) -> Result<Vec<Prefix>, Error> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut found = Vec::new();
        for some in ids.chunks(IDS_IN_A_QUERY) {
            let mut query = vec![("fields", PREFIX_FIELDS)];
            query.extend(some.iter().map(|id| ("id", id.as_str())));
            let rows = self.list(PREFIXES, &query).await?;
            // A filter that NetBox does not know is ignored, and everything comes back.
            let asked = |prefix: &Prefix| some.contains(&prefix.id.to_string());
            found.extend(rows.iter().filter_map(prefix).filter(asked));
        }
        Ok(found)
    }

    async fn aggregates(&self, rir: RowId) -> Result<Vec<Aggregate>, Error> {
        let rows = self.list(AGGREGATES, &[("rir_id", &rir.to_string()), ("fields", "id,prefix,rir")]).await?;
        // A filter that NetBox does not know is ignored, and everything comes back.
        let ours = rows.iter().filter(|row| row.get("rir").and_then(objects::id) == Some(rir));
        let mut aggregates: Vec<_> = ours.filter_map(aggregate).collect();
        aggregates.sort_unstable();
        Ok(aggregates)
    }

    /// Reads the prefixes of all VRFs inside these ranges, the ranges included: one list for each range, unless the list of
    /// all prefixes there are is short in comparison.
    async fn prefixes(&self, ranges: &[IpNet]) -> Result<Vec<Prefix>, Error> {
        let pages = ranges.len() / RANGES_TO_A_PAGE;
        let all = match pages {
            0 => None,
            most => self.short_list(PREFIXES, &[("fields", PREFIX_FIELDS)], most).await?,
        };
        let mut prefixes: Vec<Prefix> = match all {
            Some(rows) => {
                let inside = |prefix: &Prefix| ranges.iter().any(|range| range.contains(&prefix.prefix));
                rows.iter().filter_map(prefix).filter(inside).collect()
            }
            None => {
                let each = stream::iter(ranges.iter().copied()).map(|range| self.prefixes_inside(range));
                each.buffered(LISTINGS_IN_FLIGHT).try_concat().await?
            }
        };
        prefixes.sort_unstable();
        prefixes.dedup();
        Ok(prefixes)
    }

    async fn prefixes_inside(&self, range: IpNet) -> Result<Vec<Prefix>, Error> {
        let rows = self.list(PREFIXES, &[("within_include", &*range.to_string()), ("fields", PREFIX_FIELDS)]).await?;
        // A filter that NetBox does not know is ignored, and everything comes back.
        Ok(rows.iter().filter_map(prefix).filter(|prefix| range.contains(&prefix.prefix)).collect())
    }

    /// Reads the recorded rows of all types. References among them come as ids and leave as keys.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn recorded(&self) -> Result<BTreeMap<ObjectType, BTreeMap<Key, Row>>, Error> {
        let load = |object: ObjectType| async move {
            let names: Vec<&str> = objects::compared(object).iter().map(|(name, _)| *name).collect();
            let fields = format!("id,last_synced,synced_by,{}", names.join(","));
            Ok::<_, Error>((object, self.list(&objects_path(objects::slug(object)), &[("fields", &fields)]).await?))
        };
        let tables: BTreeMap<ObjectType, Vec<super::Row>> =
            try_join_all(ObjectType::ALL.map(load)).await?.into_iter().collect();
        let mut keys = BTreeMap::new();
        for (object, rows) in &tables {
            keys.extend(rows.iter().filter_map(|row| Some(((*object, row_id(row)?), key(row)?))));
        }
        let key_of = |object, id| keys.get(&(object, id)).cloned();
        Ok(tables
            .into_iter()
            .map(|(object, rows)| (object, rows.iter().filter_map(|json| row(object, json, &key_of)).collect()))
            .collect())
    }
}

fn row_id(json: &super::Row) -> Option<RowId> {
    json.get("id").and_then(objects::id)
}

fn key(json: &super::Row) -> Option<Key> {
    json.get("key").and_then(Json::as_str).filter(|key| !key.is_empty()).map(Key::recorded)
}

fn text<'a>(json: &'a super::Row, name: &str) -> Option<&'a str> {
    json.get(name).and_then(objects::text)
}

fn row(
    object: ObjectType,
    json: &super::Row,
    key_of: &impl Fn(ObjectType, RowId) -> Option<Key>,
) -> Option<(Key, Row)> {
    let read =
        |(name, form): (&'static str, Form)| (name, objects::read(json.get(name).unwrap_or(&Json::Null), form, key_of));
    let row = Row {
        id: row_id(json)?,
        fields: objects::compared(object).into_iter().map(read).collect(),
        last_synced: text(json, "last_synced").and_then(|text| text.parse().ok()),
        synced_by: text(json, "synced_by").map(str::to_owned),
    };
    Some((key(json)?, row))
}

fn config_row(json: &super::Row) -> Option<ConfigRow> {
    Some(ConfigRow { config: config(json)?, last_result: text(json, "last_result").map(str::to_owned) })
}

fn config(json: &super::Row) -> Option<Config> {
    Some(Config {
        id: row_id(json)?,
        name: text(json, "name")?.to_owned(),
        rir: json.get("rir").and_then(objects::id),
        registry: text(json, "registry").unwrap_or("arin").to_owned(),
        api_url: text(json, "api_url").unwrap_or_default().to_owned(),
        org_handle: text(json, "org_handle").and_then(OrgHandle::new),
        is_active: json.get("is_active").and_then(Json::as_bool).unwrap_or(false),
        sync_interval: json.get("sync_interval").and_then(Json::as_u64).and_then(hours),
        last_sync: text(json, "last_sync").and_then(|text| text.parse().ok()),
    })
}

fn hours(hours: u64) -> Option<Duration> {
    hours.checked_mul(3600).map(Duration::from_secs)
}

fn cidr(json: &super::Row) -> Option<IpNet> {
    text(json, "prefix")?.parse().ok()
}

fn aggregate(json: &super::Row) -> Option<Aggregate> {
    Some(Aggregate { prefix: cidr(json)?, id: row_id(json)? })
}

fn prefix(json: &super::Row) -> Option<Prefix> {
    Some(Prefix { prefix: cidr(json)?, vrf: json.get("vrf").and_then(objects::id), id: row_id(json)? })
}
