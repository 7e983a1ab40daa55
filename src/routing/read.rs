//! Reads the part of NetBox that says who announces what: aggregates and what lies inside them, sites, RIR configs, and the
//! networks that syncs have recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    expected::{Plan, PlannedAggregate, PlannedPrefix},
    space::own_aggregates,
};
use crate::{
    config::Settings,
    model::{Asn, NetBlock, RowId},
    netbox::{
        self, Client,
        announced::{AnnouncedPrefix, AnnouncingConfig},
    },
};

/// The statuses of NetBox's of which nothing is announced.
const IDLE: [&str; 2] = ["reserved", "deprecated"];

/// Reads the plan of what is announced.
///
/// # Errors
/// When NetBox cannot be asked, or was never bootstrapped.
pub async fn read(netbox: &Client, settings: &Settings) -> Result<Plan, netbox::Error> {
    let (own, configs) = tokio::try_join!(own_aggregates(netbox, settings), netbox.announcing_configs())?;
    let (aggregates, space) = own;
    let (prefixes, networks) = tokio::try_join!(netbox.announced_prefixes(space.all()), netbox.networks())?;
    let locations = prefixes.iter().filter_map(|prefix| prefix.scope?.location()).collect();
    let places = netbox.sites_of_locations(&locations).await?;
    let public = public_vrfs(netbox, settings).await?;
    let planned = |prefix: AnnouncedPrefix| {
        let is_public = prefix.vrf.is_none_or(|vrf| public.contains(&vrf));
        PlannedPrefix {
            id: prefix.id,
            prefix: prefix.prefix,
            vrf: prefix.vrf,
            is_idle: !is_public || IDLE.contains(&&*prefix.status),
            site: prefix.scope.and_then(|scope| scope.site(&places)),
            origins: prefix.origins,
        }
    };
    let prefixes: Vec<PlannedPrefix> = prefixes.into_iter().map(planned).collect();
    let sites: BTreeSet<RowId> = prefixes.iter().filter_map(|prefix| prefix.site).collect();
    let registered = networks.iter().filter(|net| net.registered).flat_map(|net| &net.blocks);
    let plan = Plan {
        registered: registered.flat_map(NetBlock::prefixes).collect(),
        sites: netbox.asns_of_sites(&sites).await?,
        defaults: defaults(&configs),
        synced: configs.iter().filter(|config| config.is_active && config.is_synced).filter_map(|it| it.rir).collect(),
        aggregates: aggregates
            .into_iter()
            .map(|it| PlannedAggregate { id: it.id, prefix: it.prefix, rir: it.rir, origins: it.origins })
            .collect(),
        prefixes,
        space,
    };
    Ok(plan)
}

/// Returns the default origins of each RIR: those of all its active configs.
fn defaults(configs: &[AnnouncingConfig]) -> BTreeMap<RowId, BTreeSet<Asn>> {
    let mut defaults: BTreeMap<RowId, BTreeSet<Asn>> = BTreeMap::new();
    for config in configs.iter().filter(|config| config.is_active) {
        if let Some(rir) = config.rir {
            defaults.entry(rir).or_default().extend(&config.default_origins);
        }
    }
    defaults
}

/// Reads which VRFs are part of the public table.
async fn public_vrfs(netbox: &Client, settings: &Settings) -> Result<BTreeSet<RowId>, netbox::Error> {
    let public = &settings.findings.public_vrfs;
    if public.is_empty() {
        return Ok(BTreeSet::new());
    }
    let all = netbox.vrf_names().await?;
    Ok(all.into_iter().filter(|(_, name)| public.contains(name)).map(|(id, _)| id).collect())
}
