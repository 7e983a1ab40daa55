//! The nets of one registry instance, inside one another.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    iter,
};

use ipnet::IpNet;
use jiff::civil::Date;

use super::super::registrations::Registrations;
use crate::model::{CustomerHandle, Holder, Instance, NetBlock, NetHandle, NetType, OrgHandle, RowId};

/// A net that is registered: allocated, reallocated or reassigned.
#[derive(Debug, Clone)]
pub(super) struct Net<'a> {
    pub(super) handle: &'a NetHandle,
    pub(super) name: &'a str,
    pub(super) kind: NetKind,
    pub(super) range: NetBlock,
    parent: Option<&'a NetHandle>,
    pub(super) holder: Option<&'a Holder>,
    pub(super) registered_on: Option<Date>,
    /// Its row; `None` if only the public listing has it.
    pub(super) row: Option<RowId>,
    /// The config that it is recorded with.
    pub(super) config: RowId,
    /// It is held by us.
    pub(super) held: bool,
    /// The position of the smallest net around it; one of the same range is around the one that was cut from it.
    outer: Option<usize>,
}

/// The ways in which a net can be given out; all other types are no registrations of anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NetKind {
    /// `DA`
    Allocated,
    /// `A`
    Reallocated,
    /// `S`
    Reassigned,
}

/// All nets, outer before inner.
#[derive(Debug, Default)]
pub(super) struct Nets<'a> {
    nets: Vec<Net<'a>>,
    by_handle: BTreeMap<&'a NetHandle, usize>,
}

impl NetKind {
    fn of(kind: &NetType) -> Option<Self> {
        match kind {
            NetType::DirectAllocation => Some(Self::Allocated),
            NetType::Reallocated => Some(Self::Reallocated),
            NetType::Reassigned => Some(Self::Reassigned),
            NetType::Registry(_) | NetType::Other(_) => None,
        }
    }
}

impl<'a> Net<'a> {
    pub(super) fn org(&self) -> Option<&'a OrgHandle> {
        match self.holder? {
            Holder::Org(org) => Some(org),
            Holder::Customer(_) => None,
        }
    }

    pub(super) fn customer(&self) -> Option<&'a CustomerHandle> {
        match self.holder? {
            Holder::Org(_) => None,
            Holder::Customer(customer) => Some(customer),
        }
    }

    /// Returns whether it may stand for the registration of exactly its range: space that was passed on to somebody.
    pub(super) fn is_passed_on(&self) -> bool {
        self.kind == NetKind::Reassigned || (self.kind == NetKind::Reallocated && !self.held)
    }
}

impl<'a> Nets<'a> {
    /// Takes the recorded nets of an instance, and those that are only listed. `we` are the organizations that are us.
    pub(super) fn new(
        registrations: &'a Registrations,
        instance: &Instance,
        configs: &BTreeSet<RowId>,
        we: &BTreeSet<&OrgHandle>,
    ) -> Self {
        let held = |holder: Option<&Holder>| matches!(holder, Some(Holder::Org(org)) if we.contains(org));
        let recorded = registrations.nets.iter().filter(|net| net.instance == *instance && net.registered);
        let recorded = recorded.filter_map(|net| {
            Some(Net {
                handle: &net.handle,
                name: &net.name,
                kind: NetKind::of(net.kind.as_ref()?)?,
                range: NetBlock::spanning(&net.blocks)?,
                parent: net.parent.as_ref(),
                holder: net.holder.as_ref(),
                registered_on: net.registered_on,
                row: Some(net.row),
                config: net.config,
                held: held(net.holder.as_ref()),
                outer: None,
            })
        });
        let looks = registrations.looks.aggregates.iter().filter(|look| configs.contains(&look.config));
        let listed = looks.flat_map(|look| look.listed.iter().map(|net| (look.config, net)));
        let listed = listed.filter_map(|(config, net)| {
            Some(Net {
                handle: &net.handle,
                name: &net.name,
                kind: NetKind::of(net.kind.as_ref()?)?,
                range: net.range()?,
                parent: net.parent.as_ref(),
                holder: net.holder.as_ref(),
                registered_on: net.registration_date,
                row: None,
                config,
                held: held(net.holder.as_ref()),
                outer: None,
            })
        });
        let mut by_handle: BTreeMap<&NetHandle, Net<'a>> = BTreeMap::new();
        for net in recorded.chain(listed) {
            let known = by_handle.get(net.handle);
            // A row says more than the listing; of two listings the one of the lower config is as good as the other.
            if known.is_none_or(|known| (known.row.is_none(), known.config) > (net.row.is_none(), net.config)) {
                by_handle.insert(net.handle, net);
            }
        }
        let nets = nested(by_handle.into_values().collect());
        let by_handle = nets.iter().enumerate().map(|(at, net)| (net.handle, at)).collect();
        Self { nets, by_handle }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Net<'a>> {
        self.nets.get(at)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Net<'a>)> {
        self.nets.iter().enumerate()
    }

    /// Returns the nets of exactly this range, the one that was cut last first.
    pub(super) fn exact(&self, range: NetBlock) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let from = self.nets.partition_point(|net| place(net.range) < place(range));
        let to = self.nets.partition_point(|net| place(net.range) <= place(range));
        (from..to).rev().filter_map(|at| Some((at, self.nets.get(at)?)))
    }

    /// Returns the nets that are larger than this range and cover it, the smallest first.
    pub(super) fn around(&self, range: NetBlock) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let before = self.nets.partition_point(|net| net.range.first() <= range.first());
        let last = before.checked_sub(1);
        self.outwards(last).filter(move |(_, net)| net.range.covers(&range) && net.range != range)
    }

    /// Returns the nets that lie in this range and are smaller, outer before inner.
    pub(super) fn inside(&self, range: NetBlock) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let all = self.beginning_in(range);
        all.filter(move |(_, net)| range.covers(&net.range) && net.range != range)
    }

    /// Returns the nets that overlap this range, and neither cover it nor lie in it.
    pub(super) fn across(&self, range: NetBlock) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let before = self.nets.partition_point(|net| net.range.first() < range.first());
        let over_its_begin = self.outwards(before.checked_sub(1));
        over_its_begin.chain(self.beginning_in(range)).filter(move |(_, net)| {
            net.range.overlaps(&range) && !net.range.covers(&range) && !range.covers(&net.range)
        })
    }

    /// Returns the nets around a net, the smallest first; one of the same range that it was cut from is among them.
    pub(super) fn above(&self, at: usize) -> impl Iterator<Item = (usize, &Net<'a>)> {
        self.outwards(self.nets.get(at).and_then(|net| net.outer))
    }

    /// Returns whether a net is one that was passed on by us: not held by us, and cut from space that we hold.
    pub(super) fn is_ours(&self, at: usize) -> bool {
        let Some(net) = self.nets.get(at).filter(|net| !net.held && net.kind != NetKind::Allocated) else {
            return false;
        };
        let divisible = |(_, net): &(usize, &Net<'a>)| net.kind != NetKind::Reassigned;
        match self.above(at).find(divisible) {
            Some((_, above)) => above.held,
            None => net.parent.and_then(|parent| self.get(self.at(parent)?)).is_some_and(|parent| parent.held),
        }
    }

    /// Returns whether a net, or one around it, is held by us.
    pub(super) fn is_held_or_under_us(&self, at: usize) -> bool {
        self.nets.get(at).is_some_and(|net| net.held) || self.above(at).any(|(_, net)| net.held)
    }

    /// Returns the position of the net of this handle.
    pub(super) fn at(&self, handle: &NetHandle) -> Option<usize> {
        self.by_handle.get(handle).copied()
    }

    fn beginning_in(&self, range: NetBlock) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let from = self.nets.partition_point(|net| net.range.first() < range.first());
        let to = self.nets.partition_point(|net| net.range.first() <= range.last());
        (from..to).filter_map(|at| Some((at, self.nets.get(at)?)))
    }

    fn outwards(&self, from: Option<usize>) -> impl Iterator<Item = (usize, &Net<'a>)> {
        let next = |at: &usize| self.nets.get(*at)?.outer;
        iter::successors(from, next).filter_map(|at| Some((at, self.nets.get(at)?)))
    }
}

/// Sorts nets, outer before inner, and finds for each the smallest one around it.
fn nested(mut nets: Vec<Net<'_>>) -> Vec<Net<'_>> {
    let parents: BTreeMap<&NetHandle, &NetHandle> =
        nets.iter().filter_map(|net| Some((net.handle, net.parent?))).collect();
    let depth = |net: &Net<'_>| {
        let above = |handle: &&NetHandle| parents.get(*handle).copied();
        // A circle has no end; real chains are short.
        iter::successors(Some(net.handle), |handle| above(handle)).take(64).count()
    };
    nets.sort_by_cached_key(|net| (place(net.range), net.kind, depth(net), net.handle.clone()));
    for at in 0..nets.len() {
        let Some(range) = nets.get(at).map(|net| net.range) else { continue };
        let around = |at: &usize| nets.get(*at).is_some_and(|net| net.range.covers(&range));
        let before = at.checked_sub(1);
        let outer = iter::successors(before, |at| nets.get(*at)?.outer).find(around);
        if let Some(net) = nets.get_mut(at) {
            net.outer = outer;
        }
    }
    nets
}

/// Sorts ranges, outer before inner.
pub(super) fn place(range: NetBlock) -> impl Ord + Copy {
    (range.first(), Reverse(range.last()))
}

/// Returns whether ranges make up exactly `whole`, whatever their order and however they overlap.
pub(super) fn make_up(ranges: impl Iterator<Item = NetBlock>, whole: NetBlock) -> bool {
    let mut ranges: Vec<NetBlock> = ranges.collect();
    let inside = ranges.iter().all(|range| whole.covers(range));
    inside && uncovered(&mut ranges, whole) == 0
}

/// Returns how many addresses of `whole` are in none of these ranges; of very many, the largest number there is.
pub(super) fn uncovered(ranges: &mut [NetBlock], whole: NetBlock) -> u128 {
    ranges.sort_unstable_by_key(|range| place(*range));
    let (mut next, end) = (Some(number(whole.first())), number(whole.last()));
    let mut missing: u128 = 0;
    for range in ranges.iter().filter(|range| range.overlaps(&whole)) {
        let Some(from) = next else { break };
        let (first, last) = (number(range.first()), number(range.last()));
        missing = missing.saturating_add(first.saturating_sub(from));
        if last >= from {
            next = last.checked_add(1).filter(|next| *next <= end);
        }
    }
    match next {
        Some(from) => missing.saturating_add((end.saturating_sub(from)).saturating_add(1)),
        None => missing,
    }
}

fn number(address: std::net::IpAddr) -> u128 {
    match address {
        std::net::IpAddr::V4(v4) => u32::from(v4).into(),
        std::net::IpAddr::V6(v6) => v6.into(),
    }
}

/// Returns a range as people write it: as a prefix if it is one.
#[must_use]
pub fn written(range: NetBlock) -> String {
    match range.prefixes().as_slice() {
        [one] => IpNet::to_string(one),
        _ => range.to_string(),
    }
}
