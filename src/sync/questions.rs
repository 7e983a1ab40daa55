//! What has to be asked at the RIR, worked out from what NetBox has before the first request goes out.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::bearing::Parent;
use crate::model::{
    Aggregate, Config, CustomerHandle, Instance, Inventory, Key, NetBlock, NetHandle, NetType, ObjectType, OrgHandle,
    PocHandle, Resource, Row, RowId, Scope,
    address_block::{NotRegistrable, registrable},
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
    /// Prefixes were asked for by name, so that finding nothing is worth a word.
    pub(super) single: bool,
    /// What was asked for by name and needs no question.
    pub(super) passed_over: BTreeMap<IpNet, NotRegistrable>,
}

/// An aggregate and the ranges inside it, the shortest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) aggregate: Aggregate,
    /// What is known of the net that answers for it, if an earlier part of the run has asked.
    pub(super) known: Option<Known>,
    pub(super) ranges: Vec<IpNet>,
}

/// What an earlier part of a run has learnt about an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// The net that answers for it.
    pub(super) parent: Option<Parent>,
    /// Whether that net can have no children.
    pub(super) reassigned: bool,
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
    /// The object of a type with this handle; `None` for addresses, which have none.
    pub(super) fn new(object: ObjectType, handle: &str) -> Option<Self> {
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

    pub(super) fn key(&self, instance: &Instance) -> Key {
        instance.key(self.handle())
    }
}

/// What the caller wants to know of a config.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted<'a> {
    pub(super) scope: &'a Scope,
    pub(super) resources: &'a BTreeSet<Resource>,
    pub(super) recipients: &'a [OrgHandle],
}

/// Works out the questions.
pub(super) fn questions(wanted: &Wanted<'_>, config: &Config, instance: &Instance, has: &Inventory) -> Questions {
    let begins = matches!(wanted.scope, Scope::Config | Scope::Head);
    let networks = wanted.resources.contains(&Resource::Networks);
    let targets = if networks { targets(wanted.scope, instance, has) } else { Vec::new() };
    Questions {
        instance: instance.clone(),
        org: config.org_handle.clone().filter(|_| begins),
        recipients: if begins { wanted.recipients.to_vec() } else { Vec::new() },
        resources: wanted.resources.clone(),
        targets,
        single: matches!(wanted.scope, Scope::Prefixes(_)),
        passed_over: if networks { passed_over(wanted.scope, has) } else { BTreeMap::new() },
    }
}

/// What was asked for by name and cannot be registered. For a whole config that is too plain to be told.
fn passed_over(scope: &Scope, has: &Inventory) -> BTreeMap<IpNet, NotRegistrable> {
    let named: Vec<IpNet> = match scope {
        Scope::Aggregate(id) => has.aggregates.iter().filter(|it| it.id == *id).map(|it| it.prefix).collect(),
        Scope::Prefixes(ids) => has.prefixes.iter().filter(|it| ids.contains(&it.id)).map(|it| it.prefix).collect(),
        Scope::Config | Scope::Head | Scope::Inside { .. } | Scope::Rest { .. } => Vec::new(),
    };
    named.into_iter().filter_map(|range| Some((range, registrable(range).err()?))).collect()
}

fn targets(scope: &Scope, instance: &Instance, has: &Inventory) -> Vec<Target> {
    let target = |aggregate: &Aggregate| match scope {
        Scope::Config => Some(inside(aggregate, ranges_inside(aggregate, has))),
        Scope::Head => Some(inside(aggregate, Vec::new())),
        Scope::Aggregate(id) => (*id == aggregate.id).then(|| inside(aggregate, ranges_inside(aggregate, has))),
        Scope::Inside { aggregate: id, parent } => (*id == aggregate.id).then(|| Target {
            known: Some(known(aggregate, parent.as_ref(), instance, has)),
            ..inside(aggregate, ranges_inside(aggregate, has))
        }),
        Scope::Rest { .. } => None,
        Scope::Prefixes(ids) => {
            let wanted: BTreeSet<IpNet> =
                has.prefixes.iter().filter(|prefix| ids.contains(&prefix.id)).map(|prefix| prefix.prefix).collect();
            let ranges: Vec<IpNet> =
                ranges_inside(aggregate, has).into_iter().filter(|range| wanted.contains(range)).collect();
            (!ranges.is_empty()).then(|| inside(aggregate, ranges))
        }
    };
    has.aggregates.iter().filter_map(target).collect()
}

fn inside(aggregate: &Aggregate, ranges: Vec<IpNet>) -> Target {
    Target { aggregate: *aggregate, known: None, ranges }
}

/// The ranges inside an aggregate that somebody can register, the shortest first.
pub(super) fn ranges_inside(aggregate: &Aggregate, has: &Inventory) -> Vec<IpNet> {
    has.ranges_inside(aggregate).into_iter().filter(|range| registrable(*range).is_ok()).collect()
}

/// What the recorded row says of the net that answers for an aggregate.
fn known(aggregate: &Aggregate, parent: Option<&NetHandle>, instance: &Instance, has: &Inventory) -> Known {
    let Some(handle) = parent else { return Known { parent: None, reassigned: false } };
    let row = has.row(ObjectType::Network, &instance.key(handle));
    let end = |name| row.and_then(|row| row.text(name)).and_then(|text| text.parse().ok());
    let range = end("start_address").zip(end("end_address"));
    let range = range.and_then(|(first, last)| NetBlock::new(first, last).ok());
    let kind = row.and_then(|row| row.text("net_type")).map(NetType::from_code);
    Known {
        parent: Some(Parent { handle: handle.clone(), range: range.unwrap_or_else(|| aggregate.prefix.into()) }),
        reassigned: kind == Some(NetType::Reassigned),
    }
}

/// What is recorded as registered, and has to be asked for by handle if nothing else brings it up: all of the wanted types
/// for a whole config, those that no part of the run has seen at its end, the linked networks and their customers for a
/// single aggregate or prefix.
pub(super) fn recorded(
    scope: &Scope,
    resources: &BTreeSet<Resource>,
    config: RowId,
    instance: &Instance,
    has: &Inventory,
) -> Vec<Recorded> {
    let ours = |object: ObjectType| {
        has.registered(object, config, instance).filter_map(move |(handle, _)| Recorded::new(object, handle))
    };
    let all = || {
        let objects = resources.iter().flat_map(|resource| resource.objects()).copied();
        objects.flat_map(ours)
    };
    match scope {
        Scope::Config => all().collect(),
        Scope::Head | Scope::Inside { .. } => Vec::new(),
        Scope::Rest { seen, .. } => all().filter(|it| !seen.contains(&(it.object(), it.handle().to_owned()))).collect(),
        Scope::Aggregate(id) => {
            linked(&|row| row.field("aggregate").as_netbox_row() == Some(*id), config, instance, has)
        }
        Scope::Prefixes(ids) => {
            let links = |row: &Row| row.field("prefix").as_netbox_row().is_some_and(|id| ids.contains(&id));
            linked(&links, config, instance, has)
        }
    }
}

/// The networks with such a link, and their customers.
fn linked(links: &dyn Fn(&Row) -> bool, config: RowId, instance: &Instance, has: &Inventory) -> Vec<Recorded> {
    let rows = |object| has.registered(object, config, instance);
    let nets: Vec<&str> = rows(ObjectType::Network).filter(|(_, row)| links(row)).map(|(handle, _)| handle).collect();
    let keys: BTreeSet<Key> = nets.iter().map(|handle| instance.key(handle)).collect();
    let held = |row: &Row| row.field("network").as_our_row().is_some_and(|network| keys.contains(network));
    let customers = rows(ObjectType::Customer).filter(|(_, row)| held(row)).map(|(handle, _)| handle);
    let nets = nets.iter().filter_map(|handle| Recorded::new(ObjectType::Network, handle));
    nets.chain(customers.filter_map(|handle| Recorded::new(ObjectType::Customer, handle))).collect()
}
