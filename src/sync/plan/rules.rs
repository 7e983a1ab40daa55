//! The rules that a plan respects besides the two snapshots it compares: above all, whose row it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Config, Instance, Inventory, Key, Net, NetHandle, ObjectType, OrgHandle, Registration, RowId};

/// The rules of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The registry instance that is asked.
    pub instance: Instance,
    /// The config that is synced.
    pub config: RowId,
    /// Its organization.
    pub org: Option<OrgHandle>,
    /// The active configs at the same registry instance by their organization: they share rows.
    pub owners: BTreeMap<OrgHandle, RowId>,
    /// Networks are linked to aggregates and prefixes.
    pub link: bool,
    /// Rows that could not be written in this run and are left for the next.
    pub given_up: BTreeSet<Key>,
}

impl Rules {
    /// Makes the rules for a sync of `config`, one of `configs`, at `instance`, with links. `instance_of` returns where another
    /// config looks.
    #[must_use]
    pub fn new(
        config: &Config,
        configs: &[Config],
        instance: &Instance,
        instance_of: impl Fn(&Config) -> Option<Instance>,
    ) -> Self {
        let mut owners = BTreeMap::new();
        let here = |other: &&Config| other.is_active && instance_of(other).as_ref() == Some(instance);
        for other in configs.iter().filter(here) {
            if let Some(org) = &other.org_handle {
                owners.entry(org.clone()).or_insert(other.id);
            }
        }
        let org = config.org_handle.clone();
        Self { instance: instance.clone(), config: config.id, org, owners, link: true, given_up: BTreeSet::new() }
    }

    /// Returns whether this run speaks for `config`, because it is its own or nobody else does.
    #[must_use]
    pub fn speaks_for(&self, config: Option<RowId>) -> bool {
        config.is_none_or(|config| config == self.config || !self.owners.values().any(|owner| *owner == config))
    }

    /// Returns the config that an organization's row belongs to: the one it is configured in, else the one that first recorded it.
    #[must_use]
    pub fn owner_of_org(&self, org: &OrgHandle, recorded: &Inventory) -> RowId {
        let row = recorded.row(ObjectType::Organization, &self.instance.key(org));
        self.owners.get(org).copied().or_else(|| row?.config()).unwrap_or(self.config)
    }

    /// Returns the config that a network's row belongs to: the one whose organization holds it or the nearest of its ancestors, else
    /// the one that first recorded it.
    #[must_use]
    pub fn owner_of_net(&self, net: &Net, registered: &Registration, recorded: &Inventory) -> RowId {
        let row = recorded.row(ObjectType::Network, &self.instance.key(&net.handle));
        self.nearest_owner(net, registered, recorded).or_else(|| row?.config()).unwrap_or(self.config)
    }

    fn nearest_owner(&self, net: &Net, registered: &Registration, recorded: &Inventory) -> Option<RowId> {
        if let Some(owner) = net.org().and_then(|org| self.owners.get(org)) {
            return Some(*owner);
        }
        let mut seen = BTreeSet::new();
        let mut next = net.parent.clone();
        while let Some(handle) = next.filter(|handle| seen.insert(handle.clone())) {
            let (org, parent) = self.holder_and_parent(&handle, registered, recorded);
            if let Some(owner) = org.and_then(|org| self.owners.get(&org).copied()) {
                return Some(owner);
            }
            next = parent;
        }
        None
    }

    /// Returns who holds a net and which net it was cut from, as just learnt or else as recorded.
    fn holder_and_parent(
        &self,
        handle: &NetHandle,
        registered: &Registration,
        recorded: &Inventory,
    ) -> (Option<OrgHandle>, Option<NetHandle>) {
        if let Some(net) = registered.nets.get(handle) {
            return (net.org().cloned(), net.parent.clone());
        }
        let Some(row) = recorded.row(ObjectType::Network, &self.instance.key(handle)) else { return (None, None) };
        let org = row.field("organization").as_our_row().and_then(|key| key.handle_at(&self.instance));
        let org = org.and_then(|handle| OrgHandle::new(&handle));
        (org, row.text("parent_handle").and_then(NetHandle::new))
    }
}
