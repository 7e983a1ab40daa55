//! What has to be asked at the RIR, worked out from what NetBox has before the first request goes out.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::model::{
    Aggregate, Config, Instance, Inventory, Key, NetHandle, ObjectType, OrgHandle, PocHandle, Resource, Scope, Value,
    block::registrable, handles::CustomerHandle, inventory::RowId,
};

/// The questions of one run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Questions {
    /// The registry instance to ask.
    pub(super) instance: Instance,
    /// The config's organization.
    pub(super) org: Option<OrgHandle>,
    /// Other organizations to keep up to date.
    pub(super) recipients: Vec<OrgHandle>,
    /// What is asked at all.
    pub(super) resources: BTreeSet<Resource>,
    /// The aggregates with the ranges inside each that are asked for.
    pub(super) targets: Vec<Target>,
    /// What is recorded as registered and has to be asked by handle if nothing else brings it up.
    pub(super) recorded: Vec<Recorded>,
    /// A single prefix was asked for, so that finding nothing is worth a word.
    pub(super) single: bool,
}

/// An aggregate and the ranges inside it, the shortest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) aggregate: Aggregate,
    pub(super) ranges: Vec<IpNet>,
    /// Ranges that nobody can register, and so are not asked for.
    pub(super) unregistrable: usize,
}

/// A recorded object by its handle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Recorded {
    Org(OrgHandle),
    Poc(PocHandle),
    Net(NetHandle),
    Customer(CustomerHandle),
}

impl Recorded {
    pub(super) fn object(&self) -> ObjectType {
        match self {
            Self::Org(_) => ObjectType::Organization,
            Self::Poc(_) => ObjectType::Contact,
            Self::Net(_) => ObjectType::Network,
            Self::Customer(_) => ObjectType::Customer,
        }
    }

    pub(super) fn handle(&self) -> &str {
        match self {
            Self::Org(handle) => handle.as_str(),
            Self::Poc(handle) => handle.as_str(),
            Self::Net(handle) => handle.as_str(),
            Self::Customer(handle) => handle.as_str(),
        }
    }

    pub(super) fn key(&self, instance: &Instance) -> Key {
        instance.key(self.handle())
    }
}

/// What the caller wants to know of a config.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted<'a> {
    pub(super) scope: Scope,
    pub(super) resources: &'a BTreeSet<Resource>,
    pub(super) recipients: &'a [OrgHandle],
}

/// Works out the questions.
pub(super) fn questions(wanted: &Wanted<'_>, config: &Config, instance: &Instance, has: &Inventory) -> Questions {
    let whole = wanted.scope == Scope::Config;
    let networks = wanted.resources.contains(&Resource::Networks);
    let targets = if networks { targets(wanted.scope, has) } else { Vec::new() };
    Questions {
        instance: instance.clone(),
        org: config.org_handle.clone().filter(|_| whole),
        recipients: if whole { wanted.recipients.to_vec() } else { Vec::new() },
        resources: wanted.resources.clone(),
        recorded: recorded(wanted, config, instance, has),
        targets,
        single: !whole,
    }
}

fn targets(scope: Scope, has: &Inventory) -> Vec<Target> {
    let target = |aggregate: &Aggregate| match scope {
        Scope::Config => Some(inside(aggregate, has.ranges_inside(aggregate))),
        Scope::Aggregate(id) => (id == aggregate.id).then(|| inside(aggregate, has.ranges_inside(aggregate))),
        Scope::Prefix(id) => {
            let prefix = has.prefixes.iter().find(|prefix| prefix.id == id)?;
            aggregate.prefix.contains(&prefix.prefix).then(|| inside(aggregate, vec![prefix.prefix]))
        }
    };
    has.aggregates.iter().filter_map(target).collect()
}

fn inside(aggregate: &Aggregate, ranges: Vec<IpNet>) -> Target {
    let all = ranges.len();
    let ranges: Vec<IpNet> = ranges.into_iter().filter(|range| registrable(*range).is_ok()).collect();
    Target { aggregate: *aggregate, unregistrable: all - ranges.len(), ranges }
}

/// The recorded rows of the config in scope: all of the wanted types for a whole config, the linked networks and their
/// customers for a single aggregate or prefix.
fn recorded(wanted: &Wanted<'_>, config: &Config, instance: &Instance, has: &Inventory) -> Vec<Recorded> {
    let wants = |resource| wanted.resources.contains(&resource);
    let whole = wanted.scope == Scope::Config;
    let mut all = Vec::new();
    let rows = |object| has.registered(object, config.id, instance);
    if whole && wants(Resource::Organizations) {
        all.extend(rows(ObjectType::Organization).filter_map(|(handle, _)| OrgHandle::new(handle)).map(Recorded::Org));
    }
    if whole && wants(Resource::Contacts) {
        all.extend(rows(ObjectType::Contact).filter_map(|(handle, _)| PocHandle::new(handle)).map(Recorded::Poc));
    }
    if wants(Resource::Networks) {
        let link = |field: &Value| field.as_core();
        let in_scope = |aggregate: Option<RowId>, prefix: Option<RowId>| match wanted.scope {
            Scope::Config => true,
            Scope::Aggregate(id) => aggregate == Some(id),
            Scope::Prefix(id) => prefix == Some(id),
        };
        let linked = |row: &crate::model::Row| in_scope(link(row.field("aggregate")), link(row.field("prefix")));
        let nets: Vec<_> = rows(ObjectType::Network).filter(|(_, row)| linked(row)).collect();
        let keys: BTreeSet<Key> = nets.iter().map(|(handle, _)| instance.key(handle)).collect();
        let of_those = |row: &crate::model::Row| {
            whole || row.field("network").as_own().is_some_and(|network| keys.contains(network))
        };
        let customers = rows(ObjectType::Customer).filter(|(_, row)| of_those(row));
        all.extend(nets.iter().filter_map(|(handle, _)| NetHandle::new(handle)).map(Recorded::Net));
        all.extend(customers.filter_map(|(handle, _)| CustomerHandle::new(handle)).map(Recorded::Customer));
    }
    all
}
