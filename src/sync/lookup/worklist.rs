//! Works out what has to be asked at the registry from what NetBox has, before the first request goes out.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;

use crate::model::{
    Aggregate, AggregateProgress, Config, CustomerHandle, Holder, Instance, Inventory, Key, NetHandle, ObjectType,
    OrgHandle, PocHandle, Resource, Row, RowId, Scope,
    address_block::{NotRegistrable, registrable},
};

/// All questions of one run but those about what is recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sync) struct Worklist {
    /// The organization that the config is about, whether it is asked for or not.
    pub(super) owner: Option<OrgHandle>,
    /// The config's organization, if it is asked for.
    pub(in crate::sync) org: Option<OrgHandle>,
    /// Other organizations to keep up to date.
    pub(in crate::sync) recipients: Vec<OrgHandle>,
    /// The kinds of registrations that are asked for at all.
    pub(super) resources: BTreeSet<Resource>,
    /// The aggregates with the ranges inside each that are asked for.
    pub(in crate::sync) targets: Vec<Target>,
    /// What was asked for by name, so that finding nothing is worth a word, and only ARIN's own word will do.
    pub(super) named: Named,
    /// Ranges that were asked for by name and need no question.
    pub(super) passed_over: BTreeMap<IpNet, NotRegistrable>,
}

/// The ranges of a worklist that somebody asked for by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sync) enum Named {
    /// A whole config was.
    #[default]
    Nothing,
    /// The aggregate itself.
    Aggregate,
    /// The prefixes.
    Prefixes,
}

/// An aggregate and the ranges inside it, the shortest first.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sync) struct Target {
    pub(in crate::sync) aggregate: Aggregate,
    pub(in crate::sync) ranges: Vec<IpNet>,
}

impl Target {
    /// Returns the line of a run's progress for this aggregate before anything is asked.
    pub(super) fn progress(&self) -> AggregateProgress {
        let inside = self.ranges.iter().filter(|range| **range != self.aggregate.prefix).count();
        AggregateProgress::waiting(self.aggregate, inside as u64)
    }
}

/// A recorded object by its handle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sync) enum Recorded {
    Org(OrgHandle),
    Poc(PocHandle),
    Net(NetHandle),
    Customer(CustomerHandle),
}

impl From<Holder> for Recorded {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Org(handle) => Self::Org(handle),
            Holder::Customer(handle) => Self::Customer(handle),
        }
    }
}

impl Recorded {
    /// Returns the object of a type with this handle; `None` for addresses, which have none.
    pub(in crate::sync) fn new(object: ObjectType, handle: &str) -> Option<Self> {
        match object {
            ObjectType::Organization => OrgHandle::new(handle).map(Self::Org),
            ObjectType::Contact => PocHandle::new(handle).map(Self::Poc),
            ObjectType::Network => NetHandle::new(handle).map(Self::Net),
            ObjectType::Customer => CustomerHandle::new(handle).map(Self::Customer),
            ObjectType::Address => None,
        }
    }

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
}

impl Worklist {
    /// Works out what a run over `scope` asks for `config`, whose NetBox side is `has`.
    pub(in crate::sync) fn new(
        scope: &Scope,
        resources: &BTreeSet<Resource>,
        config: &Config,
        has: &Inventory,
    ) -> Self {
        let networks = resources.contains(&Resource::Networks);
        Self {
            owner: config.org_handle.clone(),
            org: config.org_handle.clone().filter(|_| *scope == Scope::Config),
            recipients: Vec::new(),
            resources: resources.clone(),
            targets: if networks { targets(scope, has) } else { Vec::new() },
            named: match scope {
                Scope::Config => Named::Nothing,
                Scope::Aggregate(_) => Named::Aggregate,
                Scope::Prefixes(_) => Named::Prefixes,
            },
            passed_over: if networks { passed_over(scope, has) } else { BTreeMap::new() },
        }
    }
}

/// Returns what was asked for by name and cannot be registered. In a whole config that is too plain to be told.
fn passed_over(scope: &Scope, has: &Inventory) -> BTreeMap<IpNet, NotRegistrable> {
    let named: Vec<IpNet> = match scope {
        Scope::Aggregate(id) => has.aggregates.iter().filter(|it| it.id == *id).map(|it| it.prefix).collect(),
        Scope::Prefixes(ids) => has.prefixes.iter().filter(|it| ids.contains(&it.id)).map(|it| it.prefix).collect(),
        Scope::Config => Vec::new(),
    };
    named.into_iter().filter_map(|range| Some((range, registrable(range).err()?))).collect()
}

fn targets(scope: &Scope, has: &Inventory) -> Vec<Target> {
    let all = |aggregate: &Aggregate| Target { aggregate: *aggregate, ranges: ranges_inside(aggregate, has) };
    let aggregates = has.aggregates.iter();
    match scope {
        Scope::Config => aggregates.map(all).collect(),
        Scope::Aggregate(id) => aggregates.filter(|aggregate| aggregate.id == *id).map(all).collect(),
        Scope::Prefixes(ids) => {
            let wanted: BTreeSet<IpNet> =
                has.prefixes.iter().filter(|prefix| ids.contains(&prefix.id)).map(|prefix| prefix.prefix).collect();
            let named = |aggregate: &Aggregate| {
                let mut target = all(aggregate);
                target.ranges.retain(|range| wanted.contains(range));
                target
            };
            aggregates.map(named).filter(|target| !target.ranges.is_empty()).collect()
        }
    }
}

/// Returns the ranges inside an aggregate that somebody can register, the shortest first.
fn ranges_inside(aggregate: &Aggregate, has: &Inventory) -> Vec<IpNet> {
    has.ranges_inside(aggregate).into_iter().filter(|range| registrable(*range).is_ok()).collect()
}

/// Returns what is recorded as registered, and has to be asked for by handle if nothing else brings it up: all of the wanted
/// types for a whole config, the linked networks and their customers for a single aggregate or prefix, and for an aggregate
/// also the networks inside it.
pub(in crate::sync) fn recorded(
    scope: &Scope,
    resources: &BTreeSet<Resource>,
    ours: &Ours<'_>,
) -> Vec<(Recorded, Key)> {
    match scope {
        Scope::Config => {
            let objects = resources.iter().flat_map(|resource| resource.objects()).copied();
            objects
                .flat_map(|object| ours.all(object).map(move |(handle, _)| (object, handle)))
                .filter_map(|(object, handle)| ours.recorded(object, &handle))
                .collect()
        }
        Scope::Aggregate(id) => {
            let range = ours.has.aggregates.iter().find(|aggregate| aggregate.id == *id).map(|it| it.prefix);
            let inside = |row: &Row| range.is_some_and(|range| row.prefixes().all(|prefix| range.contains(&prefix)));
            linked(&|row| row.field("aggregate").as_netbox_row() == Some(*id) || inside(row), ours)
        }
        Scope::Prefixes(ids) => {
            linked(&|row: &Row| row.field("prefix").as_netbox_row().is_some_and(|id| ids.contains(&id)), ours)
        }
    }
}

/// The rows of one config at one registry instance.
pub(in crate::sync) struct Ours<'a> {
    pub(in crate::sync) config: RowId,
    pub(in crate::sync) instance: &'a Instance,
    pub(in crate::sync) has: &'a Inventory,
}

impl<'a> Ours<'a> {
    fn all(&self, object: ObjectType) -> impl Iterator<Item = (Cow<'a, str>, &'a Row)> {
        self.has.registered(object, self.config, self.instance)
    }

    fn recorded(&self, object: ObjectType, handle: &str) -> Option<(Recorded, Key)> {
        Some((Recorded::new(object, handle)?, self.instance.key(handle)))
    }
}

/// Returns the networks with such a link, and their customers.
fn linked(links: &dyn Fn(&Row) -> bool, ours: &Ours<'_>) -> Vec<(Recorded, Key)> {
    let nets: BTreeMap<Key, Cow<'_, str>> = ours
        .all(ObjectType::Network)
        .filter(|(_, row)| links(row))
        .map(|(handle, _)| (ours.instance.key(&handle), handle))
        .collect();
    let held = |row: &Row| row.field("network").as_our_row().is_some_and(|network| nets.contains_key(network));
    let customers = ours.all(ObjectType::Customer).filter(|(_, row)| held(row));
    let customers = customers.filter_map(|(handle, _)| ours.recorded(ObjectType::Customer, &handle));
    nets.values().filter_map(|handle| ours.recorded(ObjectType::Network, handle)).chain(customers).collect()
}
