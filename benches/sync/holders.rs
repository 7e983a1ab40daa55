//! Those who hold the nets of a world.

use std::collections::BTreeSet;

use rir_sandbox::world::{Holder, World};

/// The number of them, each counted once.
pub(crate) struct Holders {
    /// Customers of all nets.
    pub(crate) customers: usize,
    /// The config's organization and all that hold nets.
    pub(crate) orgs: usize,
    /// The contacts of the config's organization.
    pub(crate) pocs: usize,
}

impl Holders {
    pub(crate) fn of(world: &World) -> Self {
        let (mut customers, mut orgs) = (BTreeSet::new(), BTreeSet::from([world.org_handle.clone()]));
        for net in world.registry.nets.values() {
            match &net.holder {
                Holder::Customer(handle) => drop(customers.insert(handle)),
                Holder::Org(handle) => drop(orgs.insert(handle.clone())),
            }
        }
        let links = &world.registry.orgs[&world.org_handle].pocs;
        let pocs: BTreeSet<&String> = links.iter().map(|link| &link.handle).collect();
        Self { customers: customers.len(), orgs: orgs.len(), pocs: pocs.len() }
    }
}
