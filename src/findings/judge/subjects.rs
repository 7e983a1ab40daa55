//! The prefixes that are judged: each range once, with its registration, and whether it is assigned.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{
    super::address_plan::PlannedPrefix,
    ground::{Ground, order},
    nets::NetKind,
};
use crate::model::{NetBlock, RowId, address_block::registrable};

/// IPv4 prefixes of this length and shorter have to be registered (NRPM 4.2.3.7.1).
const LONGEST_V4: u8 = 29;
/// IPv6 prefixes of this length and shorter have to be registered (NRPM 6.5.5.1).
const LONGEST_V6: u8 = 47;

/// The status of a container, in which there are assignments.
pub(super) const CONTAINER: &str = "container";

/// A range that NetBox has in public space.
pub(super) struct Spot<'a> {
    pub(super) range: IpNet,
    /// The position of the aggregate around it.
    pub(super) aggregate: usize,
    /// The entry that stands for it.
    pub(super) prefix: &'a PlannedPrefix,
    /// All entries of this range.
    pub(super) entries: Vec<&'a PlannedPrefix>,
    pub(super) registration: Registered,
    /// Several prefixes of the net's range make it up, and this is one of them.
    pub(super) shares_net: bool,
    /// The tenants that it is assigned to; none if it is not assigned, or belongs to the assignment around it. Several if
    /// NetBox contradicts itself. In the order of their ids.
    pub(super) assigned: Vec<RowId>,
    /// Its entries belong to different customers.
    pub(super) contradicts: bool,
    /// Nothing is to be said of it.
    pub(super) left_alone: bool,
    pub(super) must: Must,
    /// Why it is not known whether it is registered.
    pub(super) unknown: Option<String>,
}

/// What is registered for a range; nets by their position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registered {
    /// A net of exactly this range was passed on.
    Own(usize),
    /// We hold a net of exactly this range, and nobody got it.
    Whole(usize),
    /// Somebody else holds an allocation of exactly this range.
    OfOther(usize),
    /// A larger net was reassigned.
    Wider(usize),
    /// It has no registration of its own.
    None,
}

/// Whether a range has to be registered once it is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    Yes,
    /// It is announced by itself.
    Announced,
    No,
}

impl Spot<'_> {
    pub(super) fn block(&self) -> NetBlock {
        self.range.into()
    }

    /// Returns the net that is the registration of exactly this range, or of this and others together.
    pub(super) fn own_net(&self) -> Option<usize> {
        match self.registration {
            Registered::Own(net) => Some(net),
            Registered::Whole(_) | Registered::OfOther(_) | Registered::Wider(_) | Registered::None => None,
        }
    }

    /// Returns the larger net that was reassigned around it.
    pub(super) fn wider_net(&self) -> Option<usize> {
        match self.registration {
            Registered::Wider(net) => Some(net),
            Registered::Own(_) | Registered::Whole(_) | Registered::OfOther(_) | Registered::None => None,
        }
    }

    /// Returns the tenant that it is assigned to, unless NetBox contradicts itself.
    pub(super) fn tenant(&self) -> Option<RowId> {
        if self.contradicts { None } else { self.assigned.first().copied() }
    }

    /// Returns whether its registration is missed if it is not there.
    pub(super) fn is_wanted(&self, voluntary: bool) -> bool {
        self.must != Must::No || voluntary
    }
}

/// Returns the ranges that are judged, in address order, outer before inner.
pub(super) fn subjects<'a>(ground: &Ground<'a>) -> Vec<Spot<'a>> {
    let mut spots = by_range(ground);
    share_nets(ground, &mut spots);
    assign(ground, &mut spots);
    spots
}

/// Gathers the prefixes of public space by their ranges, and says what is registered for each.
fn by_range<'a>(ground: &Ground<'a>) -> Vec<Spot<'a>> {
    let mut prefixes: Vec<&PlannedPrefix> =
        ground.plan.prefixes.iter().filter(|prefix| ground.is_public(prefix.vrf)).collect();
    prefixes.sort_by_key(|prefix| (order(prefix.prefix.trunc()), prefix.id));
    let mut spots: Vec<Spot<'a>> = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        let range = prefix.prefix.trunc();
        if let Some(spot) = spots.last_mut().filter(|spot| spot.range == range) {
            spot.entries.push(prefix);
            continue;
        }
        let Some(aggregate) = ground.aggregate_around(range.into()) else { continue };
        if registrable(range).is_err() {
            continue;
        }
        spots.push(Spot {
            range,
            aggregate,
            prefix,
            entries: vec![prefix],
            registration: registered(ground, range.into()),
            shares_net: false,
            assigned: Vec::new(),
            contradicts: false,
            left_alone: false,
            must: Must::No,
            unknown: None,
        });
    }
    for spot in &mut spots {
        let changed = spot.entries.iter().filter_map(|entry| entry.created.max(entry.last_updated)).min();
        let aggregate = ground.aggregates.get(spot.aggregate);
        spot.unknown = aggregate.and_then(|aggregate| aggregate.unknown_at(spot.range, changed)).map(str::to_owned);
    }
    spots
}

fn registered(ground: &Ground<'_>, range: NetBlock) -> Registered {
    let nets = &ground.nets;
    if let Some((at, _)) = nets.exact(range).find(|(_, net)| net.is_passed_on()) {
        return Registered::Own(at);
    }
    if let Some((at, net)) = nets.exact(range).next() {
        return if net.held { Registered::Whole(at) } else { Registered::OfOther(at) };
    }
    match nets.around(range).next() {
        Some((at, net)) if net.kind == NetKind::Reassigned => Registered::Wider(at),
        Some(_) | None => Registered::None,
    }
}

/// Finds the nets that no prefix has the range of, and that prefixes of one tenant make up.
fn share_nets(ground: &Ground<'_>, spots: &mut [Spot<'_>]) {
    for (at, net) in ground.nets.all().filter(|(_, net)| net.is_passed_on()) {
        let range = net.range;
        let from = spots.partition_point(|spot| spot.range.network() < range.first());
        let to = spots.partition_point(|spot| spot.range.network() <= range.last());
        let Some(inside) = spots.get_mut(from..to) else { continue };
        if inside.first().is_some_and(|spot| spot.block() == range) {
            continue;
        }
        let tenants: BTreeSet<RowId> = inside.first().into_iter().flat_map(tenants_of).collect();
        for tenant in tenants {
            if let Some(parts) = parts(inside, range, tenant) {
                for part in parts {
                    if let Some(spot) = inside.get_mut(part).filter(|spot| spot.own_net().is_none()) {
                        spot.registration = Registered::Own(at);
                        spot.shares_net = true;
                    }
                }
                break;
            }
        }
    }
}

fn tenants_of<'s>(spot: &'s Spot<'_>) -> impl Iterator<Item = RowId> + 's {
    spot.entries.iter().filter_map(|entry| entry.tenant)
}

/// Returns the positions of a tenant's prefixes that make up a range one after the other, if they do.
fn parts(inside: &[Spot<'_>], range: NetBlock, tenant: RowId) -> Option<Vec<usize>> {
    let (mut parts, mut blocks) = (Vec::new(), Vec::<NetBlock>::new());
    for (at, spot) in inside.iter().enumerate() {
        let block = spot.block();
        let within_last = blocks.last().is_some_and(|last| last.covers(&block));
        if !within_last && range.covers(&block) && tenants_of(spot).any(|it| it == tenant) {
            parts.push(at);
            blocks.push(block);
        }
    }
    super::nets::make_up(blocks.into_iter(), range).then_some(parts)
}

/// Says of each range which entry stands for it, to whom it is assigned, and whether it is left alone.
fn assign(ground: &Ground<'_>, spots: &mut [Spot<'_>]) {
    // What is around the range at hand: assignments, and what is left alone, with their tenants.
    let mut around: Vec<(IpNet, BTreeSet<RowId>, BTreeSet<RowId>)> = Vec::new();
    let opt_out = ground.policy.opt_out_tag.as_str();
    for spot in spots {
        while around.last().is_some_and(|(range, ..)| !range.contains(&spot.range)) {
            around.pop();
        }
        let Some(aggregate) = ground.aggregates.get(spot.aggregate) else { continue };
        let is_customer = |tenant: RowId| ground.knows_own_tenants() && !ground.is_own(tenant, aggregate);
        let has_own_net = matches!(spot.registration, Registered::Own(_));
        let is_assigned = |entry: &&&PlannedPrefix| {
            let status = ground.policy.assigned_statuses.contains(&*entry.status);
            (status || (entry.status == CONTAINER && has_own_net)) && entry.tenant.is_some_and(is_customer)
        };
        let assigned: Vec<&PlannedPrefix> = spot.entries.iter().filter(is_assigned).copied().collect();
        let speaking = if assigned.is_empty() { spot.entries.clone() } else { assigned.clone() };
        let customers = |entries: &[&PlannedPrefix]| -> BTreeSet<RowId> {
            entries.iter().filter_map(|entry| entry.tenant).filter(|tenant| is_customer(*tenant)).collect()
        };
        spot.contradicts = customers(&speaking).len() > 1;
        if let Some(first) = speaking.first() {
            spot.prefix = first;
        }
        let above = |tenant: &RowId| around.iter().any(|(_, tenants, _)| tenants.contains(tenant));
        let to: BTreeSet<RowId> = customers(&assigned);
        spot.assigned = to.iter().filter(|tenant| !above(tenant)).copied().collect();
        let out: BTreeSet<RowId> = match spot.entries.iter().any(|entry| ground.is_tagged(opt_out, entry)) {
            true => tenants_of(spot).collect(),
            false => BTreeSet::new(),
        };
        let inherited = |tenant: RowId| around.iter().any(|(.., tenants)| tenants.contains(&tenant));
        spot.left_alone =
            spot.entries.iter().any(|entry| ground.is_tagged(opt_out, entry)) || tenants_of(spot).any(inherited);
        spot.must = must(ground, spot);
        around.push((spot.range, to, out));
    }
}

fn must(ground: &Ground<'_>, spot: &Spot<'_>) -> Must {
    let (length, longest) = match spot.range {
        IpNet::V4(v4) => (v4.prefix_len(), LONGEST_V4),
        IpNet::V6(v6) => (v6.prefix_len(), LONGEST_V6),
    };
    let announced = ground.policy.announced_tag.as_str();
    let is_announced = || matches!(spot.range, IpNet::V6(_)) && spot.prefix.tags.contains(announced);
    if length <= longest {
        Must::Yes
    } else if !announced.is_empty() && is_announced() {
        Must::Announced
    } else {
        Must::No
    }
}
