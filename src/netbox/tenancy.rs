//! The operator's tenants and their groups, and what links addresses and prefixes to them: sites, VRFs and tags.
//!
//! One that cannot be read is left out with a warning.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    address_plan::{TagReference, Wanted},
    client::Client,
    error::Error,
    ipam::PREFIXES,
    row::{Row, optional_reference, reference, text, typed},
};
use crate::model::RowId;

pub(super) const TENANTS: &str = "/api/tenancy/tenants/";
pub(super) const TENANT_GROUPS: &str = "/api/tenancy/tenant-groups/";
pub(super) const SITES: &str = "/api/dcim/sites/";
pub(super) const LOCATIONS: &str = "/api/dcim/locations/";
pub(super) const VRFS: &str = "/api/ipam/vrfs/";
pub(super) const TAGS: &str = "/api/extras/tags/";
/// Names asked for in one query, so that its URL stays well below what web servers take.
const NAMES_IN_A_QUERY: usize = 20;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct TenantRow {
    pub id: RowId,
    pub name: String,
    pub slug: String,
    pub group: Option<RowId>,
    /// The slugs of its tags, of those that were asked for.
    pub tags: BTreeSet<String>,
    /// The text in the custom field that was asked for.
    pub text: Option<String>,
}

/// A tenant group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct TenantGroupRow {
    pub id: RowId,
    #[serde(deserialize_with = "text")]
    pub slug: String,
    #[serde(deserialize_with = "optional_reference")]
    pub parent: Option<RowId>,
}

/// A list whose rows settings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedList {
    /// By their slugs.
    Tenants,
    /// By their slugs.
    TenantGroups,
    /// By their names.
    Vrfs,
    /// By their slugs.
    Tags,
}

/// A list whose rows have custom fields that settings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub enum WithCustomFields {
    Prefixes,
    Tenants,
}

impl NamedList {
    /// Returns its path, and the field with the names.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Tenants => (TENANTS, "slug"),
            Self::TenantGroups => (TENANT_GROUPS, "slug"),
            Self::Vrfs => (VRFS, "name"),
            Self::Tags => (TAGS, "slug"),
        }
    }
}

#[derive(Deserialize)]
struct TenantFields {
    id: RowId,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    slug: String,
    #[serde(deserialize_with = "optional_reference")]
    group: Option<RowId>,
    #[serde(default)]
    tags: Vec<TagReference>,
    #[serde(default)]
    custom_fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct LocationRow {
    id: RowId,
    #[serde(deserialize_with = "reference")]
    site: RowId,
}

#[derive(Deserialize)]
struct SiteRow {
    id: RowId,
    #[serde(deserialize_with = "optional_reference")]
    tenant: Option<RowId>,
}

/// A VRF or a tag.
#[derive(Deserialize)]
struct NamedRow {
    id: RowId,
    #[serde(deserialize_with = "text")]
    name: String,
}

#[derive(Deserialize)]
struct TagRow {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    slug: String,
}

/// Each method fails when NetBox cannot be asked.
#[expect(clippy::missing_errors_doc, reason = "said once for all")]
impl Client {
    /// Reads these tenants.
    pub async fn tenants(&self, ids: &BTreeSet<RowId>, wanted: &Wanted) -> Result<Vec<TenantRow>, Error> {
        let fields = wanted.fields("id,name,slug,group");
        let read = |row: Row| {
            let TenantFields { id, name, slug, group, tags, custom_fields } = typed(&row)?;
            let (tags, text) = (wanted.tags(tags), wanted.text(&custom_fields).map(str::to_owned));
            Ok(TenantRow { id, name, slug, group, tags, text })
        };
        self.list_by_id((TENANTS, &fields), ids, &read, |row| row.id).await?.readable()
    }

    /// Reads all tenant groups.
    pub async fn tenant_groups(&self) -> Result<Vec<TenantGroupRow>, Error> {
        self.list_where(TENANT_GROUPS, &[("fields", "id,slug,parent")], |_: &TenantGroupRow| true).await?.readable()
    }

    /// Reads the sites of these locations.
    pub async fn sites_of_locations(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, RowId>, Error> {
        let read = |row: Row| typed::<LocationRow>(&row);
        let rows = self.list_by_id((LOCATIONS, "id,site"), ids, &read, |row| row.id).await?.readable()?;
        Ok(rows.into_iter().map(|row| (row.id, row.site)).collect())
    }

    /// Reads the tenants of these sites, of those that have one.
    pub async fn tenants_of_sites(&self, ids: &BTreeSet<RowId>) -> Result<BTreeMap<RowId, RowId>, Error> {
        let read = |row: Row| typed::<SiteRow>(&row);
        let rows = self.list_by_id((SITES, "id,tenant"), ids, &read, |row| row.id).await?.readable()?;
        Ok(rows.into_iter().filter_map(|row| Some((row.id, row.tenant?))).collect())
    }

    /// Reads the names of all VRFs.
    pub async fn vrf_names(&self) -> Result<BTreeMap<RowId, String>, Error> {
        let rows = self.list_where(VRFS, &[("fields", "id,name")], |_: &NamedRow| true).await?.readable()?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Asks which of these names a list has.
    pub async fn names_in(&self, list: NamedList, names: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let (path, field) = list.place();
        let (fields, all) = (format!("id,{field}"), names.iter().collect::<Vec<_>>());
        let mut there = BTreeSet::new();
        for some in all.chunks(NAMES_IN_A_QUERY) {
            let mut query = vec![("fields", &*fields)];
            query.extend(some.iter().map(|name| (field, name.as_str())));
            let rows = self.list(path, &query).await?;
            let found = rows.iter().filter_map(|row| row.get(field)?.as_str());
            there.extend(found.filter(|name| names.contains(*name)).map(str::to_owned));
        }
        Ok(there)
    }

    /// Asks which custom fields the rows of a list have; `None` when there is no row that tells.
    pub async fn custom_fields_of(&self, list: WithCustomFields) -> Result<Option<BTreeSet<String>>, Error> {
        let path = match list {
            WithCustomFields::Prefixes => PREFIXES,
            WithCustomFields::Tenants => TENANTS,
        };
        let rows = self.newest(path, &[("fields", "id,custom_fields")], 1).await?;
        let fields = rows.first().and_then(|row| row.get("custom_fields")?.as_object());
        Ok(fields.map(|fields| fields.keys().cloned().collect()))
    }

    /// Reads the slugs of tags by their names, of those with these slugs.
    pub async fn slugs_of_tags(&self, slugs: &BTreeSet<String>) -> Result<BTreeMap<String, String>, Error> {
        let mut query = vec![("fields", "id,name,slug")];
        query.extend(slugs.iter().map(|slug| ("slug", slug.as_str())));
        let rows = self.list_where(TAGS, &query, |row: &TagRow| slugs.contains(&row.slug)).await?.readable()?;
        Ok(rows.into_iter().map(|row| (row.name, row.slug)).collect())
    }
}
