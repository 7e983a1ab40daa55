//! The findings about aggregates, and what is not known.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    super::{
        finding::{Links, Subject},
        kind::{Kind, Level},
    },
    ground::Standing,
    nets::written,
    sheet::Sheet,
    subjects::Spot,
};
use crate::model::{LookSource, RowId};

/// The most tenants that a sentence names.
const TENANTS: usize = 20;

impl<'a> Sheet<'_, 'a> {
    /// Judges all aggregates that are known.
    pub(super) fn aggregates(&mut self) {
        let ground = self.ground;
        for aggregate in ground.aggregates.iter().filter(|aggregate| aggregate.unknown.is_none()) {
            let range = aggregate.planned.prefix.trunc();
            if aggregate.look.is_some_and(|look| look.unanswered.contains_key(&range)) {
                continue;
            }
            let links = Links { aggregate: Some(aggregate.link()), ..Links::default() };
            let with_net =
                |at: usize| Links { network: ground.link_to_net(at), ..ground.holder_links(at).and(links.clone()) };
            let (kind, level, links, message) = match &aggregate.standing {
                Standing::Fine => continue,
                Standing::Unsplittable(at) => (
                    Kind::Unsplittable,
                    Level::Notice,
                    with_net(*at),
                    format!(
                        "{} is a reassignment, so that nothing inside can be registered by us: ask whoever reassigned it for a \
                         reallocation.",
                        self.handles(&[*at])
                    ),
                ),
                Standing::HeldByOther(at) => (
                    Kind::AggregateHeldByOther,
                    Level::Notice,
                    with_net(*at),
                    format!(
                        "{} is held by {}, not by us: a transfer, or an aggregate of another RIR or organization?",
                        self.handles(&[*at]),
                        self.holder_words(*at)
                    ),
                ),
                Standing::Part(at) => (
                    Kind::AggregateRange,
                    Level::Info,
                    with_net(*at),
                    format!(
                        "It is only a part of our {}; NetBox has no aggregates for the rest.",
                        self.handles(&[*at])
                    ),
                ),
                Standing::Parts(inside) => (
                    Kind::AggregateRange,
                    Level::Info,
                    inside.first().map_or_else(|| links.clone(), |at| with_net(*at)),
                    format!(
                        "It is larger than what we hold inside: {} nets at ARIN do not make it up: {}.",
                        inside.len(),
                        self.handles(inside)
                    ),
                ),
                Standing::Unregistered => (
                    Kind::AggregateUnregistered,
                    Level::Notice,
                    links,
                    "ARIN has no net for this aggregate.".to_owned(),
                ),
            };
            self.add((kind, level), aggregate.config.id, Subject::Aggregate(range), (links, message));
        }
    }

    /// Tells what is not known, and why.
    pub(super) fn not_known(&mut self, spots: &[Spot<'a>]) {
        let ground = self.ground;
        let mut inside: BTreeMap<usize, u64> = BTreeMap::new();
        for spot in spots.iter().filter(|spot| !spot.left_alone) {
            *inside.entry(spot.aggregate).or_default() += 1;
        }
        for (at, aggregate) in ground.aggregates.iter().enumerate() {
            let Some(why) = &aggregate.unknown else { continue };
            let count = inside.get(&at).copied().unwrap_or_default();
            let message = format!(
                "It is not known what is registered for this aggregate and the {count} prefixes inside: {}.",
                why.trim_end_matches('.')
            );
            let links = Links { aggregate: Some(aggregate.link()), ..Links::default() };
            let subject = Subject::Aggregate(aggregate.planned.prefix.trunc());
            self.add((Kind::NotKnown, Level::Info), aggregate.config.id, subject, (links, message));
        }
        for spot in spots.iter().filter(|spot| !spot.left_alone) {
            let Some(aggregate) = ground.aggregates.get(spot.aggregate) else { continue };
            let (None, Some(why)) = (&aggregate.unknown, &spot.unknown) else { continue };
            let message = format!("It is not known whether it is registered: {}.", why.trim_end_matches('.'));
            let told = (self.links(spot), message);
            self.add((Kind::NotKnown, Level::Info), aggregate.config.id, Subject::Prefix(spot.range), told);
        }
        self.own_tenants(spots);
        self.without_listing();
    }

    /// Asks whose the tenants are, while nobody has said.
    fn own_tenants(&mut self, spots: &[Spot<'a>]) {
        let ground = self.ground;
        if ground.knows_own_tenants() {
            return;
        }
        let configs: Vec<(RowId, &str)> =
            ground.configs.iter().map(|config| (config.id, config.name.as_str())).collect();
        for (config, name) in configs {
            let of_config = |spot: &&Spot<'_>| {
                ground.aggregates.get(spot.aggregate).is_some_and(|aggregate| aggregate.config.id == config)
            };
            let mut counts: BTreeMap<RowId, u64> = BTreeMap::new();
            for tenant in spots.iter().filter(of_config).flat_map(|spot| &spot.entries).filter_map(|it| it.tenant) {
                *counts.entry(tenant).or_default() += 1;
            }
            let named = |(tenant, count)| {
                (Reverse(count), ground.tenant(tenant).map(|it| (it.name.as_str(), it.slug.as_str())))
            };
            let mut counts: Vec<_> = counts.into_iter().map(named).collect();
            counts.sort_unstable();
            let tenants: Vec<String> = counts
                .into_iter()
                .filter_map(|(Reverse(count), tenant)| tenant.map(|(name, slug)| format!("{name} ({slug}): {count}")))
                .collect();
            let message = own_tenants_message(&tenants);
            let subject = Subject::Config(name.to_owned(), "own-tenants");
            self.add((Kind::NotKnown, Level::Info), config, subject, (Links::default(), message));
        }
    }

    /// Tells where nets without a prefix are not known, as ARIN's listing was not to be had.
    fn without_listing(&mut self) {
        let ground = self.ground;
        let mut without: BTreeMap<RowId, (&str, Vec<String>)> = BTreeMap::new();
        for aggregate in ground.aggregates.iter().filter(|aggregate| aggregate.unknown.is_none()) {
            if aggregate.look.is_some_and(|look| look.source == LookSource::Questions) {
                let of_config = without.entry(aggregate.config.id);
                let (_, ranges) = of_config.or_insert_with(|| (&aggregate.config.name, Vec::new()));
                ranges.push(written(aggregate.planned.prefix.into()));
            }
        }
        for (config, (name, ranges)) in without {
            let first = ranges.first().map_or("", String::as_str);
            let more = match ranges.len() {
                0 | 1 => String::new(),
                several => format!(" and {} more aggregates", several - 1),
            };
            let message = format!(
                "What is registered in {first}{more} and has no prefix in NetBox is not known: ARIN's public listing was not \
                 used there."
            );
            let subject = Subject::Config(name.to_owned(), "listing");
            self.add((Kind::NotKnown, Level::Info), config, subject, (Links::default(), message));
        }
    }
}

fn own_tenants_message(tenants: &[String]) -> String {
    let begin = "Own tenants not set: nothing is said of assigned prefixes until `findings.own_tenants` (or \
                 `findings.own_tenant_groups`) says by their slugs which tenants are your own; an empty list says that none is.";
    if tenants.is_empty() {
        return format!("{begin} No prefix has a tenant yet.");
    }
    let more = match tenants.len().saturating_sub(TENANTS) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named: Vec<&str> = tenants.iter().take(TENANTS).map(String::as_str).collect();
    format!("{begin} The tenants with the number of their prefixes: {}{more}.", named.join(", "))
}
