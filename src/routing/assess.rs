//! Judges all of an address plan: each prefix, each aggregate that is no prefix, and each range inside an aggregate that
//! registries have objects about and NetBox does not know. Pure.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;
use jiff::Timestamp;

use super::{
    claims::{Claims, RouteObject},
    expected::{Expectations, Expected, Plan, PlannedAggregate, PlannedPrefix},
    health::{Health, Registration, RpkiState},
    judge::{Evidence, Freshness, Subject, judge, rpki_state},
};
use crate::{
    irr::roa::Vrps,
    model::{Asn, Ranges, RowId, SourceName},
};

/// How a range stands that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct RangeHealth {
    pub range: IpNet,
    /// The prefix of NetBox that it is; `None` for an aggregate, and for what NetBox does not have.
    pub prefix: Option<RowId>,
    /// The aggregate that it is, or that it is in.
    pub aggregate: Option<RowId>,
    /// Says that NetBox has it, as a prefix or as an aggregate.
    pub is_planned: bool,
    /// Who is expected to announce it.
    pub expected: Expected,
    pub health: Health,
}

/// A route object inside the operator's own space.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct OwnRoute {
    pub object: RouteObject,
    pub rpki: RpkiState,
    /// The prefix of NetBox of exactly its range.
    pub prefix: Option<RowId>,
    pub aggregate: Option<RowId>,
}

/// All that was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// How each range stands, in address order.
    pub ranges: Vec<RangeHealth>,
    /// The objects inside the own space, in address order.
    pub routes: Vec<OwnRoute>,
}

/// What is known of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name.
    pub name: SourceName,
    /// Whether it may be judged by.
    pub freshness: Freshness,
    /// The ranges that it was asked about; `None` for one of which all is known.
    pub asked: Option<Ranges>,
    /// When it was last known to be so.
    pub as_of: Option<Timestamp>,
}

/// What a plan is judged by.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Testimony<'a> {
    pub claims: &'a Claims,
    pub sources: &'a [Witness],
    /// The VRPs, if any are to be asked.
    pub vrps: Option<(&'a Vrps, Freshness)>,
    /// The sources that count; all do if there are none.
    pub counting: &'a BTreeSet<SourceName>,
}

/// Judges a plan.
#[must_use]
pub fn assess(plan: &Plan, testimony: &Testimony<'_>) -> Assessment {
    let assessing = Assessing::new(plan, testimony);
    let mut ranges: Vec<RangeHealth> = assessing.prefixes().chain(assessing.aggregates()).collect();
    ranges.extend(assessing.unclaimed());
    ranges.sort_by_key(|judged| (judged.range, judged.prefix, judged.aggregate));
    Assessment { ranges, routes: assessing.routes().collect() }
}

struct Assessing<'a> {
    plan: &'a Plan,
    testimony: &'a Testimony<'a>,
    expectations: Expectations<'a>,
    /// The prefixes of each range, those of the global table first.
    prefixes: BTreeMap<IpNet, Vec<&'a PlannedPrefix>>,
    /// What the sources are to be taken for where all of them know all.
    sources: Vec<(SourceName, Freshness)>,
    /// The ranges of the aggregates.
    aggregates: BTreeSet<IpNet>,
}

impl<'a> Assessing<'a> {
    fn new(plan: &'a Plan, testimony: &'a Testimony<'a>) -> Self {
        let mut prefixes: BTreeMap<IpNet, Vec<&PlannedPrefix>> = BTreeMap::new();
        for prefix in &plan.prefixes {
            prefixes.entry(prefix.prefix.trunc()).or_default().push(prefix);
        }
        prefixes.values_mut().for_each(|all| all.sort_by_key(|prefix| (prefix.vrf, prefix.id)));
        let sources = testimony.sources.iter().map(|witness| (witness.name.clone(), witness.freshness)).collect();
        let aggregates = plan.aggregates.iter().map(|aggregate| aggregate.prefix.trunc()).collect();
        Self { plan, testimony, expectations: Expectations::new(plan), prefixes, sources, aggregates }
    }

    fn prefixes(&self) -> impl Iterator<Item = RangeHealth> {
        self.plan.prefixes.iter().filter_map(|prefix| {
            let aggregate = self.expectations.aggregate(&prefix.prefix)?;
            let expected = self.expectations.of_prefix(prefix);
            Some(self.judged(prefix.prefix.trunc(), Some(prefix), (aggregate, true), expected))
        })
    }

    /// Judges the aggregates that are no prefixes. One that is has the health of its prefix.
    fn aggregates(&self) -> impl Iterator<Item = RangeHealth> {
        let is_judged = |it: &&PlannedAggregate| {
            let range = it.prefix.trunc();
            self.plan.space.around(&range).is_some() && !self.prefixes.contains_key(&range)
        };
        let no_prefixes = self.plan.aggregates.iter().filter(is_judged);
        no_prefixes.map(|aggregate| {
            let expected = self.expectations.of_aggregate(aggregate);
            self.judged(aggregate.prefix.trunc(), None, (aggregate, true), expected)
        })
    }

    /// Judges the ranges inside aggregates that NetBox does not have.
    fn unclaimed(&self) -> Vec<RangeHealth> {
        let mut unclaimed: Vec<RangeHealth> = Vec::new();
        for object in self.inside() {
            let range = object.prefix;
            let is_known = self.prefixes.contains_key(&range) || self.aggregates.contains(&range);
            let is_told = unclaimed.last().is_some_and(|last| last.range == range);
            if is_known || is_told {
                continue;
            }
            if let Some(aggregate) = self.expectations.aggregate(&range) {
                unclaimed.push(self.judged(range, None, (aggregate, false), Expected::default()));
            }
        }
        unclaimed
    }

    fn routes(&self) -> impl Iterator<Item = OwnRoute> {
        self.inside().map(|object| OwnRoute {
            rpki: rpki_state(self.testimony.vrps, &object.prefix, [object.origin]),
            prefix: self.prefixes.get(&object.prefix).and_then(|all| Some(all.first()?.id)),
            aggregate: self.expectations.aggregate(&object.prefix).map(|aggregate| aggregate.id),
            object: object.clone(),
        })
    }

    /// Returns the objects about ranges that lie in the own space, and there in an aggregate.
    fn inside(&self) -> impl Iterator<Item = &'a RouteObject> {
        let claims = self.testimony.claims.all();
        claims.filter(|object| {
            let is_ours = self.plan.space.around(&object.prefix).is_some();
            is_ours && self.expectations.aggregate(&object.prefix).is_some()
        })
    }

    /// Judges a range of an aggregate.
    fn judged(
        &self,
        range: IpNet,
        prefix: Option<&PlannedPrefix>,
        (aggregate, is_planned): (&PlannedAggregate, bool),
        expected: Expected,
    ) -> RangeHealth {
        let Testimony { claims, vrps, counting, .. } = *self.testimony;
        let is_idle = prefix.is_some_and(|prefix| prefix.is_idle);
        let registration = self.registration(&range, aggregate);
        let subject = Subject { range, is_planned, is_idle, expected: &expected, counting, registration };
        let sources = self.sources_of(&range);
        let health = judge(&subject, &Evidence { claims, sources: &sources, vrps });
        let (prefix, aggregate) = (prefix.map(|prefix| prefix.id), Some(aggregate.id));
        RangeHealth { range, prefix, aggregate, is_planned, expected, health }
    }

    /// Returns what the sources are to be taken for of a range: one that was not asked about it knows nothing.
    fn sources_of(&self, range: &IpNet) -> Cow<'_, [(SourceName, Freshness)]> {
        let witnesses = self.testimony.sources;
        if witnesses.iter().all(|witness| witness.asked.is_none()) {
            return Cow::Borrowed(&self.sources);
        }
        witnesses.iter().map(|witness| (witness.name.clone(), witness.freshness_in(range))).collect()
    }

    fn registration(&self, range: &IpNet, aggregate: &PlannedAggregate) -> Registration {
        if self.plan.registered.around(range).is_some() {
            Registration::Registered
        } else if self.plan.synced.contains(&aggregate.rir) {
            Registration::NotFound
        } else {
            Registration::Unknown
        }
    }
}

impl Witness {
    /// Returns whether it may be judged by in a range.
    fn freshness_in(&self, range: &IpNet) -> Freshness {
        match &self.asked {
            Some(asked) if asked.around(range).is_none() => Freshness::Never,
            Some(_) | None => self.freshness,
        }
    }
}

impl RangeHealth {
    /// Returns the origins that are expected, as text.
    #[must_use]
    pub fn expected_origins(&self) -> String {
        self.expected.origins.iter().map(Asn::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Returns the origins that were found and the sources that have them, as text.
    #[must_use]
    pub fn found(&self) -> String {
        self.health.found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    /// Two aggregates, each with a prefix that AS64496 announces, and a registry that has objects for both.
    fn plan() -> Plan {
        let origins = BTreeSet::from([Asn(64496)]);
        let prefix = |id: u64, range: &str| PlannedPrefix {
            id: RowId(id),
            prefix: net(range),
            vrf: None,
            is_idle: false,
            origins: origins.clone(),
            site: None,
        };
        let aggregate = |id: u64, range: &str| PlannedAggregate {
            id: RowId(id),
            prefix: net(range),
            rir: RowId(1),
            origins: BTreeSet::new(),
        };
        Plan {
            space: [net("192.0.2.0/24"), net("198.51.100.0/24")].into_iter().collect(),
            prefixes: vec![prefix(1, "192.0.2.0/25"), prefix(2, "198.51.100.0/25")],
            aggregates: vec![aggregate(1, "192.0.2.0/24"), aggregate(2, "198.51.100.0/24")],
            ..Plan::default()
        }
    }

    fn witness(asked: Option<&[&str]>) -> Witness {
        let asked = asked.map(|asked| asked.iter().map(|range| net(range)).collect());
        Witness { name: "RADB".parse().unwrap(), freshness: Freshness::Fresh, asked, as_of: None }
    }

    fn told(plan: &Plan, witness: Witness) -> String {
        let object = |range: &str| RouteObject {
            prefix: net(range),
            origin: Asn(64496),
            source: "RADB".parse().unwrap(),
            maintainers: Vec::new(),
            last_modified: String::new(),
        };
        let claims = ["192.0.2.0/25", "198.51.100.0/25", "198.51.100.128/25"].map(object).into_iter().collect();
        let (sources, counting) = ([witness], BTreeSet::new());
        let assessment =
            assess(plan, &Testimony { claims: &claims, sources: &sources, vrps: None, counting: &counting });
        let line = |judged: &RangeHealth| format!("{} {}", judged.range, judged.health.verdict);
        assessment.ranges.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn prefixes_aggregates_and_what_netbox_does_not_have_are_judged() {
        insta::assert_snapshot!(told(&plan(), witness(None)), @r"
        192.0.2.0/24 unknown
        192.0.2.0/25 ok
        198.51.100.0/24 unknown
        198.51.100.0/25 ok
        198.51.100.128/25 unclaimed-space
        ");
    }

    #[test]
    fn a_source_that_was_not_asked_about_a_range_knows_nothing_of_it() {
        insta::assert_snapshot!(told(&plan(), witness(Some(&["192.0.2.0/25"]))), @r"
        192.0.2.0/24 unknown
        192.0.2.0/25 ok
        198.51.100.0/24 unknown
        198.51.100.0/25 unknown
        198.51.100.128/25 unknown
        ");
    }

    #[test]
    fn only_own_space_is_judged() {
        let plan = Plan { space: [net("192.0.2.0/24")].into_iter().collect(), ..plan() };
        let plan = Plan { prefixes: plan.prefixes[..1].to_vec(), ..plan };
        insta::assert_snapshot!(told(&plan, witness(None)), @r"
        192.0.2.0/24 unknown
        192.0.2.0/25 ok
        ");
    }
}
