//! NetBox's side, as far as it is judged.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};

use crate::model::{Address, Instance, Key, OrgHandle, RowId};

/// What the operator planned.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct AddressPlan {
    /// The active configs.
    pub configs: Vec<JudgingConfig>,
    /// The aggregates of the configs' RIRs.
    pub aggregates: Vec<PlannedAggregate>,
    /// The prefixes inside these, of all VRFs.
    pub prefixes: Vec<PlannedPrefix>,
    pub tenants: BTreeMap<RowId, Tenant>,
    /// The tenant groups with their slugs and the groups around them.
    pub tenant_groups: BTreeMap<RowId, TenantGroup>,
    /// The names of the VRFs.
    pub vrfs: BTreeMap<RowId, String>,
    /// The tenant of each site that has one.
    pub site_tenants: BTreeMap<RowId, RowId>,
    /// The postal addresses that the operator linked to a tenant or a site.
    pub addresses: Vec<PlannedAddress>,
    /// The slugs of the tags by their names: the change log has names.
    pub tags: BTreeMap<String, String>,
    /// The changes of prefixes, as far as they were read; a prefix that is not in here was not read.
    pub histories: BTreeMap<RowId, Vec<PrefixChange>>,
    /// The prefixes that were deleted, as far as the change log tells; `None` if it was not read.
    pub deletions: Option<Vec<Deletion>>,
    /// The time of the oldest change of any object that the change log still has.
    pub oldest_change: Option<Timestamp>,
    /// The open findings on record, with the time since which each is so.
    pub first_seen: BTreeMap<Key, Timestamp>,
}

/// An active config.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct JudgingConfig {
    pub id: RowId,
    pub name: String,
    pub instance: Instance,
    pub rir: Option<RowId>,
    pub org: Option<OrgHandle>,
    /// The time between two syncs.
    pub sync_interval: std::time::Duration,
}

/// An aggregate.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct PlannedAggregate {
    pub id: RowId,
    pub prefix: IpNet,
    pub rir: RowId,
    pub tenant: Option<RowId>,
}

/// A prefix.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PlannedPrefix {
    pub id: RowId,
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
    pub tenant: Option<RowId>,
    /// The code of its status: `active`, `container`.
    pub status: Cow<'static, str>,
    /// Its site: its scope, or the site of the location that is its scope.
    pub site: Option<RowId>,
    /// The slugs of its tags.
    pub tags: BTreeSet<String>,
    /// The date in the custom field that says since when it is assigned.
    pub assigned_on: Option<Date>,
    pub created: Option<Timestamp>,
    pub last_updated: Option<Timestamp>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Tenant {
    pub name: String,
    pub slug: String,
    pub group: Option<RowId>,
    /// The slugs of its tags.
    pub tags: BTreeSet<String>,
    /// Its name at the registry, from the custom field for that.
    pub legal_name: Option<String>,
}

/// A tenant group.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct TenantGroup {
    pub slug: String,
    pub parent: Option<RowId>,
}

/// A postal address that the operator linked to a tenant, a site or both.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct PlannedAddress {
    pub row: RowId,
    pub address: Address,
    pub tenant: Option<RowId>,
    pub site: Option<RowId>,
}

/// A change of a prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefixChange {
    /// When it was made.
    pub at: Timestamp,
    /// The prefix before; `None` when it was created.
    pub before: Option<PrefixState>,
    /// The prefix after; `None` when it was deleted.
    pub after: Option<PrefixState>,
}

/// What a prefix was at some time, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PrefixState {
    pub prefix: Option<IpNet>,
    pub vrf: Option<RowId>,
    pub tenant: Option<RowId>,
    pub status: String,
    /// The names of its tags: the change log does not have slugs.
    pub tags: BTreeSet<String>,
}

/// A prefix that was deleted.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Deletion {
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
    pub at: Timestamp,
    /// The NetBox user who deleted it.
    pub user: Option<String>,
}
