//! Puts the NetBox side of a world into the in-memory NetBox.

use std::collections::BTreeMap;

use super::{netbox::Server, world::Ipam};

/// Adds the RIRs, VRFs, tenants, aggregates and prefixes of `ipam`. Returns the ids of the RIRs by name.
pub fn populate(server: &Server, ipam: &Ipam) -> BTreeMap<String, u64> {
    let mut rirs = BTreeMap::new();
    for aggregate in &ipam.aggregates {
        let rir = *rirs.entry(aggregate.rir.clone()).or_insert_with(|| server.add_rir(&aggregate.rir));
        server.add_aggregate(aggregate.prefix, rir);
    }
    let mut vrfs = BTreeMap::new();
    let mut tenants = BTreeMap::new();
    for prefix in &ipam.prefixes {
        let vrf = prefix.vrf.as_ref().map(|name| *vrfs.entry(name).or_insert_with(|| server.add_vrf(name)));
        match ipam.tenants.get(&prefix.prefix).filter(|_| vrf.is_none()) {
            Some(name) => {
                let tenant = *tenants.entry(name).or_insert_with(|| server.add_tenant(name));
                server.assign_prefix(prefix.prefix, tenant);
            }
            None => drop(server.add_prefix(prefix.prefix, vrf)),
        }
    }
    rirs
}
