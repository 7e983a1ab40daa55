//! Who announces what, as far as NetBox says: the custom field `origin_asns` of prefixes and aggregates, the ASNs of sites,
//! and the default origins of the RIR configs.
//!
//! One row that cannot be read is left out with a warning: then nothing is said of it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::{
    address_plan::{PrefixScope, prefix_scope, status},
    client::{Client, objects_path},
    error::Error,
    ipam::{AGGREGATES, PrefixForm, RIRS},
    row::{Row, optional_reference, reference, text, typed},
    schema,
    tenancy::SITES,
};
use crate::model::{Asn, RowId};

pub(super) const ASNS: &str = "/api/ipam/asns/";

/// An aggregate with who announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct AnnouncedAggregate {
    pub id: RowId,
    pub prefix: IpNet,
    pub rir: RowId,
    pub origins: BTreeSet<Asn>,
}

/// A prefix with who announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct AnnouncedPrefix {
    pub id: RowId,
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
    /// The code of its status.
    pub status: Cow<'static, str>,
    pub scope: Option<PrefixScope>,
    pub origins: BTreeSet<Asn>,
}

/// An RIR config, as far as it says who announces the aggregates of its RIR.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct AnnouncingConfig {
    pub rir: Option<RowId>,
    pub is_active: bool,
    /// Says that it was ever synced, so that what is registered is known.
    pub is_synced: bool,
    pub default_origins: BTreeSet<Asn>,
}

/// The custom fields of a prefix or an aggregate, of which one matters here.
#[derive(Default, Deserialize)]
struct CustomFields {
    #[serde(default, rename = "origin_asns", deserialize_with = "asns")]
    origins: BTreeSet<Asn>,
}

#[derive(Deserialize)]
struct AnnouncedAggregateFields {
    id: RowId,
    prefix: IpNet,
    #[serde(deserialize_with = "reference")]
    rir: RowId,
    #[serde(default)]
    custom_fields: CustomFields,
}

#[derive(Deserialize)]
struct AnnouncedPrefixFields {
    id: RowId,
    prefix: IpNet,
    #[serde(deserialize_with = "optional_reference")]
    vrf: Option<RowId>,
    #[serde(deserialize_with = "text")]
    status: String,
    #[serde(deserialize_with = "Option::deserialize")]
    scope_type: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    scope_id: Option<RowId>,
    #[serde(default)]
    custom_fields: CustomFields,
}

#[derive(Deserialize)]
struct RirFields {
    id: RowId,
    is_private: bool,
}

#[derive(Deserialize)]
struct AsnFields {
    id: RowId,
    asn: u32,
}

#[derive(Deserialize)]
struct SiteFields {
    id: RowId,
    #[serde(deserialize_with = "asns")]
    asns: BTreeSet<Asn>,
}

#[derive(Deserialize)]
struct AnnouncingConfigFields {
    #[serde(deserialize_with = "optional_reference")]
    rir: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    is_active: Option<bool>,
    #[serde(deserialize_with = "Option::deserialize")]
    last_sync: Option<String>,
    #[serde(deserialize_with = "asns")]
    default_origins: BTreeSet<Asn>,
}

/// Reads ASNs as rows of NetBox that others refer to. A field that holds nothing is null.
fn asns<'de, D: Deserializer<'de>>(json: D) -> Result<BTreeSet<Asn>, D::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        asn: u32,
    }
    let all = Option::<Vec<Numbered>>::deserialize(json)?.unwrap_or_default();
    Ok(all.into_iter().map(|row| Asn(row.asn)).collect())
}

/// Reads a prefix as it is kept: there can be a hundred thousand.
fn prefix(row: Row) -> Result<AnnouncedPrefix, serde_json::Error> {
    let fields: AnnouncedPrefixFields = typed(&row)?;
    Ok(AnnouncedPrefix {
        id: fields.id,
        prefix: fields.prefix,
        vrf: fields.vrf,
        scope: prefix_scope(fields.scope_type.as_deref(), fields.scope_id),
        status: status(fields.status),
        origins: fields.custom_fields.origins,
    })
}

/// Each method fails when NetBox cannot be asked.
#[expect(clippy::missing_errors_doc, reason = "said once for all")]
impl Client {
    /// Reads all aggregates with who announces them.
    pub async fn announced_aggregates(&self) -> Result<Vec<AnnouncedAggregate>, Error> {
        let read = |row: Row| {
            let AnnouncedAggregateFields { id, prefix, rir, custom_fields } = typed(&row)?;
            Ok(AnnouncedAggregate { id, prefix, rir, origins: custom_fields.origins })
        };
        self.list_as(AGGREGATES, &[("fields", "id,prefix,rir,custom_fields")], &read).await?.readable()
    }

    /// Reads the prefixes of all VRFs inside these ranges with who announces them, in the order of their ids, each once.
    pub async fn announced_prefixes(&self, ranges: &[IpNet]) -> Result<Vec<AnnouncedPrefix>, Error> {
        let fields = ("fields", "id,prefix,vrf,status,scope_type,scope_id,custom_fields");
        let form = PrefixForm { fields, read: &prefix, net: |row: &AnnouncedPrefix| row.prefix };
        let mut prefixes = self.prefixes_inside_all(ranges, &form).await?.readable()?;
        prefixes.sort_unstable_by_key(|prefix| prefix.id);
        prefixes.dedup_by_key(|prefix| prefix.id);
        Ok(prefixes)
    }

    /// Reads the RIRs whose space is nobody's but everybody's, as that of RFC 1918 is.
    pub async fn private_rirs(&self) -> Result<BTreeSet<RowId>, Error> {
        let rows = self.list_where(RIRS, &[("fields", "id,is_private")], |_: &RirFields| true).await?.readable()?;
        Ok(rows.into_iter().filter(|row| row.is_private).map(|row| row.id).collect())
    }

    /// Reads the ASNs of these sites, of those that have some.
    pub async fn asns_of_sites(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, BTreeSet<Asn>>, Error> {
        let read = |row: Row| typed::<SiteFields>(&row);
        let rows = self.list_by_id((SITES, "id,asns"), ids, &read, |row| row.id).await?.readable()?;
        Ok(rows.into_iter().filter(|row| !row.asns.is_empty()).map(|row| (row.id, row.asns)).collect())
    }

    /// Reads the rows of all ASNs, by number.
    pub async fn asn_rows(&self) -> Result<BTreeMap<Asn, RowId>, Error> {
        let rows = self.list_where(ASNS, &[("fields", "id,asn")], |_: &AsnFields| true).await?.readable()?;
        Ok(rows.into_iter().map(|row| (Asn(row.asn), row.id)).collect())
    }

    /// Reads what the RIR configs say of who announces what. NetBox has to be bootstrapped.
    pub async fn announcing_configs(&self) -> Result<Vec<AnnouncingConfig>, Error> {
        let fields = [("fields", "id,rir,is_active,last_sync,default_origins")];
        let rows = self
            .list_where(&objects_path(schema::CONFIG), &fields, |_: &AnnouncingConfigFields| true)
            .await?
            .readable()?;
        let config = |row: AnnouncingConfigFields| AnnouncingConfig {
            rir: row.rir,
            is_active: row.is_active.unwrap_or_default(),
            is_synced: row.last_sync.is_some(),
            default_origins: row.default_origins,
        };
        Ok(rows.into_iter().map(config).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(more: Value) -> AnnouncedPrefix {
        let mut row = json!({
            "id": 7, "prefix": "192.0.2.0/24", "vrf": null, "status": { "value": "active", "label": "Active" },
            "scope_type": "dcim.site", "scope_id": 9, "custom_fields": {},
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        prefix(row.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_origins_of_a_prefix_are_the_asns_in_its_field() {
        let asn = |id: u64, number: u32| json!({ "id": id, "url": "x", "display": "x", "asn": number });
        let origins = |value: Value| read(json!({ "custom_fields": { "origin_asns": value, "other": 5 } })).origins;
        assert_eq!(origins(json!([asn(1, 64497), asn(2, 64496)])), [Asn(64496), Asn(64497)].into());
        assert_eq!((origins(json!(null)), origins(json!([]))), (BTreeSet::new(), BTreeSet::new()));
        let prefix = read(json!({}));
        assert_eq!((prefix.origins, prefix.scope), (BTreeSet::new(), Some(PrefixScope::Site(RowId(9)))));
    }
}
