//! Reads what a sync needs to know of NetBox, in as few and small requests as will do.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{
    Client, Error,
    objects::{self, Form},
    objects_path, schema,
};
use crate::model::{Aggregate, Config, Inventory, Key, ObjectType, OrgHandle, Prefix, Row, RowId, Scope};

const AGGREGATES: &str = "/api/ipam/aggregates/";
const PREFIXES: &str = "/api/ipam/prefixes/";
/// Aggregates whose prefixes are asked for at once: NetBox has few workers, and each answer costs it CPU.
const LISTINGS_IN_FLIGHT: usize = 4;

impl Client {
    /// Reads all RIR configs, in the order of their names.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or has no RIR configs because `bootstrap` was never run.
    pub async fn configs(&self) -> Result<Vec<Config>, Error> {
        let rows = self.list(&objects_path(schema::CONFIG), &[]).await?;
        let mut configs: Vec<Config> = rows.iter().filter_map(config).collect();
        configs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(configs)
    }

    /// Reads the aggregates of an RIR, the prefixes in scope inside them, and all recorded rows.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn inventory(&self, rir: RowId, scope: Scope, configs: Vec<Config>) -> Result<Inventory, Error> {
        let (aggregates, rows) = tokio::try_join!(self.aggregates(rir), self.recorded())?;
        let around: Vec<IpNet> = match scope {
            Scope::Config => aggregates.iter().map(|aggregate| aggregate.prefix).collect(),
            Scope::Aggregate(id) => {
                aggregates.iter().filter(|aggregate| aggregate.id == id).map(|aggregate| aggregate.prefix).collect()
            }
            Scope::Prefix(id) => self.prefix(id).await?.iter().map(|prefix| prefix.prefix).collect(),
        };
        let prefixes = self.prefixes(&around).await?;
        Ok(Inventory { configs, aggregates, prefixes, rows })
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
        let Some(prefix) = self.prefix(id).await? else { return Ok(None) };
        let rows = self.list(AGGREGATES, &[("fields", "id,prefix,rir")]).await?;
        let around = rows.iter().find(|row| cidr(row).is_some_and(|aggregate| aggregate.contains(&prefix.prefix)));
        Ok(around.and_then(|row| row.get("rir")).and_then(objects::id))
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

    async fn prefix(&self, id: RowId) -> Result<Option<Prefix>, Error> {
        let rows = self.list(PREFIXES, &[("id", &id.to_string()), ("fields", "id,prefix,vrf")]).await?;
        Ok(rows.iter().filter_map(prefix).find(|prefix| prefix.id == id))
    }

    async fn aggregates(&self, rir: RowId) -> Result<Vec<Aggregate>, Error> {
        let rows = self.list(AGGREGATES, &[("rir_id", &rir.to_string()), ("fields", "id,prefix,rir")]).await?;
        // A filter that NetBox does not know is ignored, and everything comes back.
        let ours = rows.iter().filter(|row| row.get("rir").and_then(objects::id) == Some(rir));
        let mut aggregates: Vec<_> = ours.filter_map(aggregate).collect();
        aggregates.sort_unstable();
        Ok(aggregates)
    }

    /// Reads the prefixes of all VRFs inside these ranges, the ranges included.
    async fn prefixes(&self, ranges: &[IpNet]) -> Result<Vec<Prefix>, Error> {
        let inside = |range: IpNet| async move {
            let query = [("within_include", &*range.to_string()), ("fields", "id,prefix,vrf")];
            let rows = self.list(PREFIXES, &query).await?;
            let all = rows.iter().filter_map(prefix);
            Ok::<_, Error>(all.filter(|prefix| range.contains(&prefix.prefix)).collect::<Vec<_>>())
        };
        let each = stream::iter(ranges.iter().copied()).map(inside).buffered(LISTINGS_IN_FLIGHT);
        let mut prefixes: Vec<Prefix> = each.try_concat().await?;
        prefixes.sort_unstable();
        prefixes.dedup();
        Ok(prefixes)
    }

    /// Reads the recorded rows of all types. References among them come as ids and leave as keys.
    async fn recorded(&self) -> Result<BTreeMap<ObjectType, BTreeMap<Key, Row>>, Error> {
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

fn config(json: &super::Row) -> Option<Config> {
    Some(Config {
        id: row_id(json)?,
        name: text(json, "name")?.to_owned(),
        rir: json.get("rir").and_then(objects::id),
        registry: text(json, "registry").unwrap_or("arin").to_owned(),
        api_url: text(json, "api_url").unwrap_or_default().to_owned(),
        org_handle: text(json, "org_handle").and_then(OrgHandle::new),
        is_active: json.get("is_active").and_then(Json::as_bool).unwrap_or(false),
        last_sync: text(json, "last_sync").and_then(|text| text.parse().ok()),
    })
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
