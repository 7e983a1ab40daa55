//! The sheet from which the findings of one registry instance are told, and what would have to be read to say more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{
    super::{
        address_plan::{PlannedPrefix, PrefixState},
        finding::{Finding, Link, Links, Since, Subject, day},
        kind::{Kind, Level},
    },
    ground::Ground,
    since::{self, Told, beginning, later, told},
    subjects::{CONTAINER, Must, Spot},
};
use crate::model::{NetBlock, RowId};

/// What was said about one registry instance so far.
pub(super) struct Sheet<'g, 'a> {
    pub(super) ground: &'g Ground<'a>,
    /// Takes each finding.
    found: &'g mut dyn FnMut(Finding),
    pub(super) wanted_histories: BTreeSet<RowId>,
    pub(super) wants_deletions: bool,
    /// The nets that a finding about a prefix names, so that nothing more is said of them.
    pub(super) named: BTreeSet<usize>,
    /// The nets that such a finding might name if more were known.
    pub(super) in_doubt: BTreeSet<usize>,
    /// The nets that a prefix with a tenant stands for, or several together.
    pub(super) owners: BTreeSet<usize>,
    /// The ranges that NetBox has in public space.
    pub(super) ranges: BTreeSet<NetBlock>,
    /// The other VRFs that have a range.
    pub(super) other_vrfs: BTreeMap<NetBlock, BTreeSet<RowId>>,
}

/// A term in which something has to be put right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) since: Since,
    pub(super) due: Date,
    pub(super) is_over: bool,
}

impl<'g, 'a> Sheet<'g, 'a> {
    pub(super) fn new(ground: &'g Ground<'a>, spots: &[Spot<'a>], found: &'g mut dyn FnMut(Finding)) -> Self {
        let has_tenant = |spot: &&Spot<'_>| spot.entries.iter().any(|entry| entry.tenant.is_some());
        let mut other_vrfs: BTreeMap<NetBlock, BTreeSet<RowId>> = BTreeMap::new();
        for prefix in &ground.plan.prefixes {
            if let Some(vrf) = prefix.vrf.filter(|_| !ground.is_public(prefix.vrf)) {
                other_vrfs.entry(prefix.prefix.trunc().into()).or_default().insert(vrf);
            }
        }
        Self {
            ground,
            found,
            owners: spots.iter().filter(has_tenant).filter_map(Spot::own_net).collect(),
            ranges: spots.iter().map(Spot::block).collect(),
            other_vrfs,
            wanted_histories: BTreeSet::new(),
            wants_deletions: false,
            named: BTreeSet::new(),
            in_doubt: nets_in_doubt(ground, spots),
        }
    }

    /// Adds a finding, which counts from the time at which it was first seen and has no term.
    pub(super) fn add(&mut self, (kind, level): (Kind, Level), config: RowId, subject: Subject, told: (Links, String)) {
        self.add_with((kind, level), config, subject, told, (None, None));
    }

    /// Adds a finding with the time since which it is so, and the last day on which it can be put right in time.
    pub(super) fn add_with(
        &mut self,
        (kind, level): (Kind, Level),
        config: RowId,
        subject: Subject,
        (links, message): (Links, String),
        (since, due): (Option<Since>, Option<Date>),
    ) {
        let instance = self.ground.instance.clone();
        (self.found)(Finding { kind, level, instance, config, subject, links, message, since, due });
    }

    /// Returns since when a prefix is assigned as it is, and until when that has to be registered. `kind` and `subject` are
    /// those of the finding, on record since it was first seen.
    pub(super) fn term(&mut self, spot: &Spot<'_>, kind: Kind, subject: &Subject) -> Term {
        let (ground, prefix) = (self.ground, spot.prefix);
        let first_seen = ground.first_seen(kind, subject);
        let statuses = &ground.policy.assigned_statuses;
        let counts = |status: &String| statuses.contains(status) || (*status == prefix.status && status == CONTAINER);
        let assigned = |state: &PrefixState| {
            since::is_same(prefix, state) && state.tenant == prefix.tenant && counts(&state.status)
        };
        let assigned = match prefix.assigned_on {
            Some(on) => Since { at: beginning(on), at_least: false },
            None => self.since(prefix, first_seen, assigned),
        };
        let since = match spot.must {
            Must::Announced => later(assigned, self.announced_since(prefix, first_seen)),
            Must::Yes | Must::No => assigned,
        };
        let due = since::due(since, ground.policy.baseline, ground.deadline());
        Term { since, due, is_over: day(ground.now) > due }
    }

    /// Returns since when a condition of a prefix is true without a break.
    pub(super) fn since(
        &mut self,
        prefix: &PlannedPrefix,
        first_seen: Timestamp,
        holds: impl Fn(&PrefixState) -> bool,
    ) -> Since {
        let told = self.history(prefix, holds);
        since::since(told, prefix, self.ground.plan.oldest_change, first_seen)
    }

    /// Returns when the tag was set by which it counts that a prefix is announced.
    fn announced_since(&mut self, prefix: &PlannedPrefix, first_seen: Timestamp) -> Since {
        let names = since::names_of(&self.ground.policy.announced_tag, &self.ground.plan.tags);
        let tagged = |state: &PrefixState| names.iter().any(|name| state.tags.contains(*name));
        match self.history(prefix, tagged) {
            Told::Began(at) => Since { at, at_least: false },
            Told::Before(_) | Told::Nothing => Since { at: first_seen, at_least: true },
        }
    }

    fn history(&mut self, prefix: &PlannedPrefix, holds: impl Fn(&PrefixState) -> bool) -> Told {
        match self.ground.plan.histories.get(&prefix.id) {
            Some(changes) => told(changes, holds),
            None => {
                self.wanted_histories.insert(prefix.id);
                Told::Nothing
            }
        }
    }

    /// Returns links to a prefix and the aggregate around it.
    pub(super) fn links(&self, spot: &Spot<'_>) -> Links {
        let aggregate = self.ground.aggregates.get(spot.aggregate).map(super::ground::Aggregate::link);
        Links { prefix: Some(Link::to(spot.prefix.id, spot.range)), aggregate, ..Links::default() }
    }

    /// Returns links to a prefix, the aggregate around it, a net and whoever holds that.
    pub(super) fn links_with(&self, spot: &Spot<'_>, net: usize) -> Links {
        Links { network: self.ground.link_to_net(net), ..self.ground.holder_links(net) }.and(self.links(spot))
    }
}

/// Returns the nets of which it is not known what would be said of them, as an assigned prefix is not known that they lie in or
/// that they lie around.
pub(super) fn nets_in_doubt(ground: &Ground<'_>, spots: &[Spot<'_>]) -> BTreeSet<usize> {
    let mut nets = BTreeSet::new();
    for spot in spots.iter().filter(|spot| spot.unknown.is_some() && !spot.assigned.is_empty()) {
        let block = spot.block();
        nets.extend(ground.nets.inside(block).map(|(at, _)| at));
        nets.extend(ground.nets.across(block).map(|(at, _)| at));
        nets.extend(spot.wider_net());
    }
    nets
}

/// Writes a time since which something is so.
pub(super) fn since_words(since: Since) -> String {
    let at_least = if since.at_least { "at least " } else { "" };
    format!("{at_least}{}", day(since.at))
}
