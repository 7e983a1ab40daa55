//! Who is expected to announce a prefix: pure.
//!
//! NetBox has no relation between a prefix and an AS. So it is, in this order: what the operator wrote into the custom field
//! `origin_asns` of the prefix; what stands in that of the nearest prefix or aggregate around it; the ASNs of the site that
//! it is at; the default origins of the RIR config.
//!
//! A prefix is *announced by itself* if its own field says who does that, and so is an aggregate that has origins, be it by
//! default. All others are parts of what is announced.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::model::{Asn, Ranges, RowId};

/// A prefix, as far as it says who announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PlannedPrefix {
    pub id: RowId,
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
    /// Says that by its status or its VRF nothing of it is announced, unless its own field says who does.
    pub is_idle: bool,
    /// What its own field says.
    pub origins: BTreeSet<Asn>,
    pub site: Option<RowId>,
}

/// An aggregate, as far as it says who announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PlannedAggregate {
    pub id: RowId,
    pub prefix: IpNet,
    pub rir: RowId,
    /// What its own field says.
    pub origins: BTreeSet<Asn>,
}

/// The part of an address plan that says who announces what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The operator's own space, of which all is judged.
    pub space: Ranges,
    /// The prefixes inside it.
    pub prefixes: Vec<PlannedPrefix>,
    /// The aggregates, also those of which only a part is in the own space.
    pub aggregates: Vec<PlannedAggregate>,
    /// The ASNs of each site.
    pub sites: BTreeMap<RowId, BTreeSet<Asn>>,
    /// The default origins of each RIR.
    pub defaults: BTreeMap<RowId, BTreeSet<Asn>>,
    /// The ranges that recorded networks have.
    pub registered: Ranges,
    /// The RIRs of which it was once synced what is registered.
    pub synced: BTreeSet<RowId>,
}

/// Who is expected to announce a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The origins; none if nobody knows.
    pub origins: BTreeSet<Asn>,
    /// What says so; `None` if nobody knows.
    pub by: Option<Expectation>,
    /// Says that the range is announced by itself, and so needs a route object of its own.
    pub by_itself: bool,
}

/// What says who is expected to announce a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Its own field.
    Itself,
    /// The field of the prefix or aggregate around it.
    Around(IpNet),
    /// The site that it is at.
    Site,
    /// The RIR config.
    Default,
}

/// Who is expected to announce each range of a plan, made ready to be asked.
#[derive(Debug)]
pub struct Expectations<'a> {
    plan: &'a Plan,
    /// What fields say, of the prefixes of each VRF.
    prefixes: BTreeMap<Option<RowId>, BTreeMap<IpNet, &'a BTreeSet<Asn>>>,
    aggregates: BTreeMap<IpNet, &'a PlannedAggregate>,
}

impl<'a> Expectations<'a> {
    /// Makes them ready.
    #[must_use]
    pub fn new(plan: &'a Plan) -> Self {
        let mut prefixes: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for prefix in plan.prefixes.iter().filter(|prefix| !prefix.origins.is_empty()) {
            prefixes.entry(prefix.vrf).or_default().insert(prefix.prefix.trunc(), &prefix.origins);
        }
        let aggregates = plan.aggregates.iter().map(|aggregate| (aggregate.prefix.trunc(), aggregate)).collect();
        Self { plan, prefixes, aggregates }
    }

    /// Returns the aggregate that holds a range: the narrowest, if there are several.
    #[must_use]
    pub fn aggregate(&self, range: &IpNet) -> Option<&'a PlannedAggregate> {
        let wider = std::iter::successors(Some(range.trunc()), IpNet::supernet);
        wider.filter_map(|range| self.aggregates.get(&range)).copied().next()
    }

    /// Returns who is expected to announce a prefix.
    #[must_use]
    pub fn of_prefix(&self, prefix: &PlannedPrefix) -> Expected {
        let own = prefix.origins.clone();
        let range = prefix.prefix.trunc();
        if !own.is_empty() {
            return Expected { origins: own, by: Some(Expectation::Itself), by_itself: true };
        }
        if prefix.is_idle {
            return Expected::default();
        }
        if let Some(aggregate) = self.aggregates.get(&range) {
            let of_aggregate = self.of_aggregate(aggregate);
            if !of_aggregate.origins.is_empty() {
                return of_aggregate;
            }
        }
        let around = std::iter::successors(range.supernet(), IpNet::supernet)
            .find_map(|wider| Some((wider, self.said_at(prefix.vrf, &wider)?)));
        let by = |by, origins: &BTreeSet<Asn>| {
            let origins = origins.clone();
            Expected { origins, by: Some(by), by_itself: false }
        };
        if let Some((wider, origins)) = around {
            return by(Expectation::Around(wider), origins);
        }
        let of_site = prefix.site.and_then(|site| self.plan.sites.get(&site)).filter(|origins| !origins.is_empty());
        if let Some(origins) = of_site {
            return by(Expectation::Site, origins);
        }
        let default = self.aggregate(&range).and_then(|aggregate| self.plan.defaults.get(&aggregate.rir));
        default.filter(|origins| !origins.is_empty()).map_or_else(Expected::default, |it| by(Expectation::Default, it))
    }

    /// Returns who is expected to announce an aggregate.
    #[must_use]
    pub fn of_aggregate(&self, aggregate: &PlannedAggregate) -> Expected {
        let default = self.plan.defaults.get(&aggregate.rir);
        let (origins, by) = match default.filter(|origins| !origins.is_empty()) {
            _ if !aggregate.origins.is_empty() => (&aggregate.origins, Expectation::Itself),
            Some(default) => (default, Expectation::Default),
            None => return Expected::default(),
        };
        Expected { origins: origins.clone(), by: Some(by), by_itself: true }
    }

    /// Returns what the field says of the prefix of exactly this range, in a VRF or in the global table, or of the
    /// aggregate.
    fn said_at(&self, vrf: Option<RowId>, range: &IpNet) -> Option<&'a BTreeSet<Asn>> {
        let of_vrf = |vrf| self.prefixes.get(&vrf)?.get(range).copied();
        let of_aggregate = || self.aggregates.get(range).map(|aggregate| &aggregate.origins);
        of_vrf(vrf).or_else(|| of_vrf(None)).or_else(|| of_aggregate().filter(|origins| !origins.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn asns(numbers: &[u32]) -> BTreeSet<Asn> {
        numbers.iter().copied().map(Asn).collect()
    }

    fn prefix(id: u64, prefix: &str, origins: &[u32]) -> PlannedPrefix {
        let origins = asns(origins);
        PlannedPrefix { id: RowId(id), prefix: net(prefix), vrf: None, is_idle: false, origins, site: None }
    }

    fn aggregate(prefix: &str, origins: &[u32]) -> PlannedAggregate {
        PlannedAggregate { id: RowId(1), prefix: net(prefix), rir: RowId(1), origins: asns(origins) }
    }

    fn expected(plan: &Plan, id: u64) -> (Vec<u32>, Option<Expectation>, bool) {
        let prefix = plan.prefixes.iter().find(|prefix| prefix.id == RowId(id)).unwrap();
        let Expected { origins, by, by_itself } = Expectations::new(plan).of_prefix(prefix);
        (origins.into_iter().map(|origin| origin.0).collect(), by, by_itself)
    }

    #[test]
    fn the_own_field_comes_first_and_says_that_it_is_announced_by_itself() {
        let mut plan = Plan {
            prefixes: vec![prefix(1, "192.0.2.0/25", &[64500, 64501]), prefix(2, "192.0.2.0/24", &[64502])],
            aggregates: vec![aggregate("192.0.2.0/23", &[64503])],
            ..Plan::default()
        };
        assert_eq!(expected(&plan, 1), (vec![64500, 64501], Some(Expectation::Itself), true));
        plan.prefixes[0].is_idle = true;
        assert_eq!(expected(&plan, 1).0, [64500, 64501], "its own field counts in any case");
        plan.prefixes[0].origins.clear();
        assert_eq!(expected(&plan, 1), (Vec::new(), None, false), "nothing of it is announced");
        plan.prefixes[0].is_idle = false;
        assert_eq!(expected(&plan, 1), (vec![64502], Some(Expectation::Around(net("192.0.2.0/24"))), false));
        plan.prefixes[1].origins.clear();
        assert_eq!(expected(&plan, 1), (vec![64503], Some(Expectation::Around(net("192.0.2.0/23"))), false));
        plan.aggregates[0].origins.clear();
        assert_eq!(expected(&plan, 1), (Vec::new(), None, false));
    }

    #[test]
    fn then_the_site_says_it_and_then_the_config() {
        let mut plan = Plan {
            prefixes: vec![PlannedPrefix { site: Some(RowId(7)), ..prefix(1, "192.0.2.0/25", &[]) }],
            aggregates: vec![aggregate("192.0.2.0/24", &[])],
            sites: [(RowId(7), asns(&[64500]))].into(),
            defaults: [(RowId(1), asns(&[64501]))].into(),
            ..Plan::default()
        };
        assert_eq!(expected(&plan, 1), (vec![64500], Some(Expectation::Site), false));
        plan.sites.insert(RowId(7), BTreeSet::new());
        assert_eq!(expected(&plan, 1), (vec![64501], Some(Expectation::Default), false));
        plan.aggregates[0].rir = RowId(2);
        assert_eq!(expected(&plan, 1), (Vec::new(), None, false), "the default of another RIR");
    }

    #[test]
    fn an_aggregate_with_origins_is_announced_by_itself_and_so_is_the_prefix_of_its_range() {
        let plan = Plan {
            prefixes: vec![prefix(1, "192.0.2.0/24", &[])],
            aggregates: vec![aggregate("192.0.2.0/24", &[])],
            defaults: [(RowId(1), asns(&[64501]))].into(),
            ..Plan::default()
        };
        assert_eq!(expected(&plan, 1), (vec![64501], Some(Expectation::Default), true));
        let of_aggregate = Expectations::new(&plan).of_aggregate(&plan.aggregates[0]);
        assert_eq!((of_aggregate.by, of_aggregate.by_itself), (Some(Expectation::Default), true));
    }

    #[test]
    fn a_vrf_says_more_than_the_global_table_and_another_vrf_nothing() {
        let in_vrf = |vrf, prefix| PlannedPrefix { vrf: Some(RowId(vrf)), ..prefix };
        let mut plan = Plan {
            prefixes: vec![
                in_vrf(5, prefix(1, "192.0.2.0/25", &[])),
                in_vrf(5, prefix(2, "192.0.2.0/24", &[64500])),
                in_vrf(6, prefix(3, "192.0.2.0/24", &[64501])),
                prefix(4, "192.0.2.0/24", &[64502]),
            ],
            ..Plan::default()
        };
        assert_eq!(expected(&plan, 1).0, [64500]);
        plan.prefixes[1].origins.clear();
        assert_eq!(expected(&plan, 1).0, [64502]);
    }
}
