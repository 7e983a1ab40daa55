//! What the token's user has to be allowed: the one list of it.
//!
//! A test compares it with the requests that the service sends, in both directions.

use super::{
    announced::ASNS,
    changes::CHANGES,
    client::objects_path,
    ipam::{AGGREGATES, PREFIXES, RIRS},
    permission::Permission::{self, Add, Change, Delete, View},
    schema::{self, types_path},
    tenancy::{LOCATIONS, SITES, TAGS, TENANT_GROUPS, TENANTS, VRFS},
};
use crate::config;

/// What becomes of the findings without one of the lists that they are judged by.
const NO_FINDINGS: &str = "no findings are made";

/// What becomes of requests for changes at the registry without their rows.
const NO_REQUESTS: &str = "no findings are made, and no change at ARIN can be asked for";

/// Permissions on the objects of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The path of the list.
    pub path: String,
    /// The permissions on it.
    pub permissions: &'static [Permission],
    /// The objects, as NetBox calls them where permissions are given.
    pub objects: String,
    /// What becomes of it without them.
    pub without: &'static str,
}

impl Need {
    fn new(path: &str, permissions: &'static [Permission], objects: &str, without: &'static str) -> Self {
        Self { path: path.to_owned(), permissions, objects: objects.to_owned(), without }
    }

    /// Returns the name of the list, the end of its path.
    #[must_use]
    pub fn list(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// Returns what has to be allowed, with or without the sweep of NetBox's change log, and for what the findings are
/// judged by and changes at the registry are asked for with. Who mirrors no routing registry needs nothing of its sources.
#[must_use]
pub fn needs(sweep: bool, settings: &config::Settings) -> Vec<Need> {
    let config::Settings { findings, requests, irr, .. } = settings;
    let mut needs = vec![
        Need::new(AGGREGATES, &[View], "IPAM aggregates", "no sync can begin"),
        Need::new(PREFIXES, &[View], "IPAM prefixes", "no sync can begin"),
    ];
    let of_sources = [schema::IRR_SOURCE, schema::PREFIX_HEALTH, schema::ROUTE_OBJECT];
    let is_used = |slug: &&str| !of_sources.contains(slug) || !irr.source.is_empty();
    needs.extend(schema::TYPES.into_iter().filter(is_used).map(|slug| {
        let (permissions, without): (&[Permission], _) = match slug {
            schema::CONFIG => (&[View, Change], "no sync can begin, or none is recorded"),
            schema::CHANGE_REQUEST | schema::TICKET if requests.enabled => (&[View, Add, Change], NO_REQUESTS),
            schema::CHANGE_REQUEST | schema::TICKET => (&[View], NO_FINDINGS),
            schema::FINDING => (&[View, Add, Change], NO_FINDINGS),
            schema::LOOK => (&[View, Add, Change], "it is not known how completely ARIN was asked"),
            schema::IRR_SOURCE => {
                (&[View, Add, Change], "NetBox does not show how the mirrored routing registries stand")
            }
            schema::PREFIX_HEALTH | schema::ROUTE_OBJECT => {
                (&[View, Add, Change], "NetBox does not show whether the world will accept what is announced")
            }
            schema::SYNC_LOG => (&[View, Add, Delete], "the sync log is not written, or grows for ever"),
            _ => (&[View, Add, Change], "nothing of this kind is kept up to date"),
        };
        Need::new(&objects_path(slug), permissions, slug, without)
    }));
    if !irr.source.is_empty() {
        let without = "it is not known which space is our own, so that nobody is asked about it and nothing is judged";
        needs.push(Need::new(RIRS, &[View], "IPAM RIRs", without));
        let without = "it is not judged whether the world will accept what is announced";
        needs.push(Need::new(ASNS, &[View], "IPAM ASNs", without));
    }
    let has_groups = findings.own_tenant_groups.as_ref().is_some_and(|groups| !groups.is_empty());
    let mut read = |path, objects| needs.push(Need::new(path, &[View], objects, NO_FINDINGS));
    read(TENANTS, "Tenancy tenants");
    read(SITES, "DCIM sites");
    read(LOCATIONS, "DCIM locations");
    if has_groups {
        read(TENANT_GROUPS, "Tenancy tenant groups");
    }
    if !findings.public_vrfs.is_empty() {
        read(VRFS, "IPAM VRFs");
    }
    if !findings.tags().is_empty() {
        read(TAGS, "Extras tags");
    }
    let changes =
        if sweep { "no findings are made, and the sweep cannot catch up on lost webhooks" } else { NO_FINDINGS };
    needs.push(Need::new(CHANGES, &[View], "Core object changes", changes));
    if sweep {
        let without = "the sweep cannot catch up on changes whose webhooks were lost";
        needs.push(Need::new(&types_path(), &[View], "Custom Objects custom object types", without));
    }
    needs
}
