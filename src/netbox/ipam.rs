//! The operator's aggregates and prefixes, in as few and small requests as will do.
//!
//! One that cannot be read is left out with a warning: then it is not asked for, and nothing is concluded from that.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use ipnet::IpNet;
use serde::Deserialize;

use super::{
    client::Client,
    error::Error,
    list::Reader,
    listing::Listing,
    row::{Row, optional_reference, reference, typed},
};
use crate::model::{Aggregate, Prefix, Ranges, RowId, Scope};

pub(super) const AGGREGATES: &str = "/api/ipam/aggregates/";
pub(super) const PREFIXES: &str = "/api/ipam/prefixes/";
pub(super) const RIRS: &str = "/api/ipam/rirs/";
const AGGREGATE_FIELDS: (&str, &str) = ("fields", "id,prefix,rir");
const PREFIX_FIELDS: (&str, &str) = ("fields", "id,prefix,vrf");
/// Where a prefix is, and nothing else of it.
const PLACE: PrefixForm<'_, Prefix> = PrefixForm { fields: PREFIX_FIELDS, read: &prefix, net: |row| row.prefix };
/// Aggregates whose prefixes are asked for at once: NetBox has few workers, and each answer costs it CPU.
pub(super) const LISTINGS_IN_FLIGHT: usize = 4;
/// A full page of prefixes costs NetBox no more than listing those inside so many aggregates.
const RANGES_TO_A_PAGE: usize = 2;
/// So few prefixes are read with what is around and inside each, more with all of their aggregates.
pub(super) const NAMED_ALONE: usize = 4;
/// Ids named in one query, so that its URL stays well below what web servers take (4 KiB with gunicorn).
pub(super) const IDS_IN_A_QUERY: usize = 200;

/// A row of `/api/ipam/aggregates/`.
#[derive(Deserialize)]
struct AggregateRow {
    id: RowId,
    prefix: IpNet,
    #[serde(deserialize_with = "reference")]
    rir: RowId,
}

/// A row of `/api/ipam/prefixes/`.
#[derive(Deserialize)]
struct PrefixRow {
    id: RowId,
    prefix: IpNet,
    #[serde(deserialize_with = "optional_reference")]
    vrf: Option<RowId>,
}

/// What is read of each prefix.
pub(super) struct PrefixForm<'a, T> {
    /// The query `fields`.
    pub(super) fields: (&'a str, &'a str),
    pub(super) read: Reader<'a, T>,
    pub(super) net: fn(&T) -> IpNet,
}

impl Client {
    /// Reads the aggregates of an RIR, and the prefixes in scope inside them.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn aggregates_and_prefixes(
        &self,
        rir: RowId,
        scope: &Scope,
    ) -> Result<(Vec<Aggregate>, Vec<Prefix>), Error> {
        let aggregates = self.aggregates(rir).await?;
        let ranges = |wanted: &dyn Fn(&Aggregate) -> bool| -> Vec<IpNet> {
            aggregates.iter().filter(|aggregate| wanted(aggregate)).map(|aggregate| aggregate.prefix).collect()
        };
        let around = match scope {
            Scope::Config => ranges(&|_| true),
            Scope::Aggregate(id) => ranges(&|aggregate| aggregate.id == *id),
            Scope::Prefixes(ids) => {
                let named = self.prefixes_of(ids).await?.readable()?;
                let nets: BTreeSet<IpNet> = named.iter().map(|row| row.prefix.trunc()).collect();
                // What lies inside an aggregate comes next behind it.
                let next = |aggregate: &Aggregate| nets.range(aggregate.prefix.trunc()..).next();
                let around = ranges(&|aggregate| next(aggregate).is_some_and(|net| aggregate.prefix.contains(net)));
                if named.len() <= NAMED_ALONE && !around.is_empty() {
                    return Ok((aggregates, self.near(&named).await?));
                }
                around
            }
        };
        let prefixes = in_address_order(self.prefixes_inside_all(&around, &PLACE).await?)?;
        Ok((aggregates, prefixes))
    }

    /// Reads the prefixes around and inside each of a few, which is all that a look-up of these can come to speak of.
    async fn near(&self, few: &[Prefix]) -> Result<Vec<Prefix>, Error> {
        let ranges: Vec<IpNet> = few.iter().map(|named| named.prefix).collect();
        let each = stream::iter(ranges).map(|range| self.prefixes_near(range));
        let all = each.buffered(LISTINGS_IN_FLIGHT);
        in_address_order(all.try_fold(Listing::empty(PREFIXES), |all, some| ready(Ok(all.and(some)))).await?)
    }

    async fn prefixes_near(&self, range: IpNet) -> Result<Listing<Prefix>, Error> {
        Ok(self.prefixes_around(range, &PLACE).await?.and(self.prefixes_inside(range, &PLACE).await?))
    }

    /// Reads the prefixes of all VRFs around a range, the range included.
    pub(super) async fn prefixes_around<T: Send>(
        &self,
        range: IpNet,
        form: &PrefixForm<'_, T>,
    ) -> Result<Listing<T>, Error> {
        let query = [("contains", &*range.to_string()), form.fields];
        Ok(self.list_as(PREFIXES, &query, form.read).await?.only(|row| (form.net)(row).contains(&range)))
    }

    /// Finds the RIR of an aggregate; `None` when there is no such aggregate.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or the aggregate cannot be read.
    pub async fn rir_of_aggregate(&self, id: RowId) -> Result<Option<RowId>, Error> {
        let query = [("id", &*id.to_string()), AGGREGATE_FIELDS];
        let rows = self.list_where(AGGREGATES, &query, |row: &AggregateRow| row.id == id).await?.all()?;
        Ok(rows.first().map(|row| row.rir))
    }

    /// Finds the RIR of the aggregate around a prefix; `None` when there is no such prefix, or no aggregate around it.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or the prefix cannot be read.
    pub async fn rir_of_prefix(&self, id: RowId) -> Result<Option<RowId>, Error> {
        let prefixes = self.prefixes_of(&BTreeSet::from([id])).await?.all()?;
        Ok(self.rirs_around(&prefixes).await?.into_values().next())
    }

    /// Finds the RIR of the aggregate around each of these prefixes. An id without a prefix, and a prefix without an
    /// aggregate around it, are left out.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn rirs_of_prefixes(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, RowId>, Error> {
        let prefixes = self.prefixes_of(ids).await?.readable()?;
        self.rirs_around(&prefixes).await
    }

    async fn rirs_around(&self, prefixes: &[Prefix]) -> Result<BTreeMap<RowId, RowId>, Error> {
        if prefixes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let aggregates = self.list_where(AGGREGATES, &[AGGREGATE_FIELDS], |_: &AggregateRow| true).await?.readable()?;
        let rirs: BTreeMap<IpNet, RowId> = aggregates.iter().map(|row| (row.prefix.trunc(), row.rir)).collect();
        let ranges: Ranges = rirs.keys().copied().collect();
        let rir_around =
            |row: &Prefix| Some((row.id, ranges.around(&row.prefix).and_then(|around| rirs.get(&around)).copied()?));
        Ok(prefixes.iter().filter_map(rir_around).collect())
    }

    pub(super) async fn prefixes_of(&self, ids: &BTreeSet<RowId>) -> Result<Listing<Prefix>, Error> {
        let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut found = Listing::empty(PREFIXES);
        for some in all.chunks(IDS_IN_A_QUERY) {
            let mut query = vec![PREFIX_FIELDS];
            query.extend(some.iter().map(|id| ("id", id.as_str())));
            found = found.and(self.list_as(PREFIXES, &query, &prefix).await?.only(|row| ids.contains(&row.id)));
        }
        Ok(found)
    }

    async fn aggregates(&self, rir: RowId) -> Result<Vec<Aggregate>, Error> {
        let query = [("rir_id", &*rir.to_string()), AGGREGATE_FIELDS];
        let rows = self.list_where(AGGREGATES, &query, |row: &AggregateRow| row.rir == rir).await?.readable()?;
        let mut aggregates: Vec<_> = rows.iter().map(|row| Aggregate { prefix: row.prefix, id: row.id }).collect();
        aggregates.sort_unstable();
        Ok(aggregates)
    }

    /// Reads the prefixes of all VRFs inside these ranges, the ranges included: one list for each range, unless the
    /// list of all prefixes there are is short in comparison. Where ranges overlap, prefixes come twice.
    pub(super) async fn prefixes_inside_all<T: Send>(
        &self,
        ranges: &[IpNet],
        form: &PrefixForm<'_, T>,
    ) -> Result<Listing<T>, Error> {
        let all = match ranges.len() / RANGES_TO_A_PAGE {
            0 => None,
            most_pages => self.short_list(PREFIXES, &[form.fields], most_pages, form.read).await?,
        };
        if let Some(rows) = all {
            let ranges: Ranges = ranges.iter().copied().collect();
            return Ok(rows.only(|row| ranges.around(&(form.net)(row)).is_some()));
        }
        let each = stream::iter(ranges.iter().copied()).map(|range| self.prefixes_inside(range, form));
        let all = each.buffered(LISTINGS_IN_FLIGHT);
        all.try_fold(Listing::empty(PREFIXES), |all, some| ready(Ok(all.and(some)))).await
    }

    async fn prefixes_inside<T: Send>(&self, range: IpNet, form: &PrefixForm<'_, T>) -> Result<Listing<T>, Error> {
        let query = [("within_include", &*range.to_string()), form.fields];
        Ok(self.list_as(PREFIXES, &query, form.read).await?.only(|row| range.contains(&(form.net)(row))))
    }
}

/// Puts prefixes in the order of their addresses, each once.
fn in_address_order(rows: Listing<Prefix>) -> Result<Vec<Prefix>, Error> {
    let mut prefixes = rows.readable()?;
    prefixes.sort_unstable();
    prefixes.dedup();
    Ok(prefixes)
}

/// Reads a prefix as it is kept: there can be a million.
fn prefix(row: Row) -> Result<Prefix, serde_json::Error> {
    typed(&row).map(|PrefixRow { id, prefix, vrf }| Prefix { prefix, vrf, id })
}
