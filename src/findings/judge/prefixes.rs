//! The findings about prefixes: what is not registered, registered otherwise, or registered and not assigned any more.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{
        finding::{Link, Links, Subject},
        kind::{Kind, Level},
        registrations::ChangeRequest,
    },
    ground::{Aggregate, Ground},
    nets::{NetKind, uncovered, written},
    sheet::{Sheet, since_words},
    subjects::{CONTAINER, Must, Registered, Spot},
    wanted,
};
use crate::model::{NetBlock, RowId};

/// The states of a change request from which it may still be done.
const UNDER_WAY: [&str; 5] = ["waiting", "approved", "submitting", "ticket", "unknown"];
/// The most handles that a sentence names.
const NAMED: usize = 5;

impl<'a> Sheet<'_, 'a> {
    /// Judges all prefixes. `unfit_kinds` are the nets of the wrong kind, about which another finding says so.
    pub(super) fn prefixes(&mut self, spots: &[Spot<'a>], unfit_kinds: &BTreeSet<usize>) {
        let mut told = BTreeSet::new();
        for spot in spots {
            let Some(aggregate) = self.ground.aggregates.get(spot.aggregate) else { continue };
            if aggregate.standing.silences() || spot.unknown.is_some() || spot.left_alone {
                continue;
            }
            if spot.contradicts {
                self.duplicate(spot, aggregate);
            } else if let Some(tenant) = spot.tenant() {
                self.assigned(spot, aggregate, tenant, unfit_kinds);
            } else if let Registered::Own(net) = spot.registration
                && told.insert(net)
            {
                self.stale(spot, aggregate, net);
            }
        }
    }

    fn assigned(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, unfit_kinds: &BTreeSet<usize>) {
        let nets = &self.ground.nets;
        let wanted = spot.is_wanted(self.ground.policy.voluntary);
        match spot.registration {
            // What differs about it is told of the net.
            Registered::Own(_) => {}
            Registered::Whole(net) => self.whole(spot, aggregate, tenant, net),
            Registered::OfOther(net) => self.not_ours(spot, aggregate, net),
            Registered::Wider(net) => {
                let of_us = nets.is_ours(net) || nets.get(net).is_some_and(|net| net.held);
                if of_us && wanted && !unfit_kinds.contains(&net) {
                    self.wider(spot, aggregate, tenant, net);
                }
                if of_us {
                    self.named.insert(net);
                }
            }
            Registered::None => {
                let around = nets.around(spot.block()).find(|(_, net)| net.kind != NetKind::Reassigned);
                match around {
                    Some((net, around)) if !around.held => self.not_ours(spot, aggregate, net),
                    Some(_) | None => self.unregistered(spot, aggregate, tenant, wanted),
                }
            }
        }
    }

    fn unregistered(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, wanted: bool) {
        let nets = &self.ground.nets;
        let across: Vec<usize> = nets.across(spot.block()).map(|(at, _)| at).filter(|at| nets.is_ours(*at)).collect();
        let inside: Vec<usize> = nets.inside(spot.block()).map(|(at, _)| at).filter(|at| nets.is_ours(*at)).collect();
        if !across.is_empty() {
            self.overlap(spot, aggregate, tenant, &across);
        }
        if !inside.is_empty() && wanted {
            self.split(spot, aggregate, tenant, &inside);
        } else if across.is_empty() && wanted {
            self.missed(spot, aggregate, tenant);
        }
    }

    /// An assigned prefix without any registration.
    fn missed(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId) {
        let (config, subject) = (aggregate.config.id, Subject::Prefix(spot.range));
        let name = self.ground.name_of(tenant);
        let term = self.term(spot, Kind::Unregistered, &subject);
        let since = since_words(term.since);
        let (due, has_term) = (term.due, spot.must != Must::No);
        let (since_then, until) = (Some(term.since), has_term.then_some(due));
        if let Some(request) = self.pending(spot.block()) {
            let level = if has_term && term.is_over { Level::Notice } else { Level::Info };
            let links = Links { request: Some(Link::to(request.row, &request.summary)), ..self.links(spot) };
            let by = if has_term { format!(" It has to be registered by {due}.") } else { String::new() };
            let message = format!(
                "Assigned to {name} since {since}; its registration is under way ({}: {}).{by}",
                request.operation, request.state
            );
            self.add_with((Kind::Pending, level), config, subject, (links, message), (since_then, until));
            return;
        }
        let (kind, level, message) = match (has_term, term.is_over) {
            (false, _) => (
                Kind::Voluntary,
                Level::Info,
                format!("Assigned to {name} since {since} and not registered at ARIN, which it does not have to be."),
            ),
            (true, false) => (
                Kind::Unregistered,
                Level::Notice,
                format!("Assigned to {name} since {since} and not registered at ARIN: register it by {due}."),
            ),
            (true, true) => (
                Kind::Overdue,
                Level::Alert,
                format!("Assigned to {name} since {since} and not registered at ARIN: that was due on {due}."),
            ),
        };
        let links = self.links(spot);
        self.add_with((kind, level), config, subject.clone(), (links.clone(), message), (since_then, until));
        let missing = wanted::missing(self.ground, spot, tenant);
        if !missing.is_empty() {
            let message = format!("To register it for {name} is missing: {}.", missing.join("; "));
            self.add((Kind::NeedsData, Level::Info), config, subject, (links, message));
        }
    }

    fn split(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, inside: &[usize]) {
        let ground = self.ground;
        let mut blocks: Vec<NetBlock> = inside.iter().filter_map(|at| Some(ground.nets.get(*at)?.range)).collect();
        let missing = uncovered(&mut blocks, spot.block());
        let has_prefix = |at: &usize| self.owners.contains(at);
        if missing == 0 && inside.iter().all(has_prefix) {
            return;
        }
        self.named.extend(inside);
        let subject = Subject::Prefix(spot.range);
        let term = (missing > 0 && spot.must != Must::No).then(|| self.term(spot, Kind::Split, &subject));
        let level = if term.is_some_and(|term| term.is_over) { Level::Alert } else { Level::Notice };
        let rest = match (missing, term) {
            (0, _) => "together they cover all of it".to_owned(),
            (_, None) => format!("{missing} of its addresses are in none of them"),
            (_, Some(term)) => {
                format!("{missing} of its addresses are in none of them, and have to be registered by {}", term.due)
            }
        };
        let message = format!(
            "Assigned to {} as a whole, but registered at ARIN are only parts of it: {}; {rest}.",
            ground.name_of(tenant),
            self.handles(inside)
        );
        let links = Links { network: first_link(ground, inside), ..self.links(spot) };
        let (since, due) = (term.map(|term| term.since), term.map(|term| term.due));
        self.add_with((Kind::Split, level), aggregate.config.id, subject, (links, message), (since, due));
    }

    fn overlap(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, across: &[usize]) {
        self.named.extend(across);
        let message = format!(
            "Assigned to {}, but what is registered at ARIN covers another part of the space: {}.",
            self.ground.name_of(tenant),
            self.handles(across)
        );
        let links = Links { network: first_link(self.ground, across), ..self.links(spot) };
        let told = (links, message);
        self.add((Kind::Overlap, Level::Notice), aggregate.config.id, Subject::Prefix(spot.range), told);
    }

    fn wider(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, net: usize) {
        let message = format!(
            "Assigned to {}, but at ARIN it is a part of {}, registered for {}.",
            self.ground.name_of(tenant),
            self.handles(&[net]),
            self.holder_words(net)
        );
        let told = (self.links_with(spot, net), message);
        self.add((Kind::Wider, Level::Notice), aggregate.config.id, Subject::Prefix(spot.range), told);
    }

    fn not_ours(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, net: usize) {
        let message = format!(
            "It lies in {}, held by {}: it is for them to register it.",
            self.handles(&[net]),
            self.holder_words(net)
        );
        let told = (self.links_with(spot, net), message);
        self.add((Kind::NotOurs, Level::Info), aggregate.config.id, Subject::Prefix(spot.range), told);
    }

    fn whole(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, tenant: RowId, net: usize) {
        let message = format!(
            "Assigned to {}, but it is all of our own {}, which cannot be passed on as a whole like a part of it: ask ARIN, or \
             assign parts of it.",
            self.ground.name_of(tenant),
            self.handles(&[net]),
        );
        let told = (self.links_with(spot, net), message);
        self.add((Kind::WholeAllocation, Level::Notice), aggregate.config.id, Subject::Prefix(spot.range), told);
    }

    fn duplicate(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>) {
        let tenants: BTreeSet<RowId> = spot.entries.iter().filter_map(|entry| entry.tenant).collect();
        let customers = tenants.into_iter().filter(|tenant| !self.ground.is_own(*tenant, aggregate));
        let mut names: Vec<&str> = customers.map(|tenant| self.ground.name_of(tenant)).collect();
        names.sort_unstable();
        let message = format!("NetBox has this range for {}; decide whose it is.", names.join(" and for "));
        let told = (self.links(spot), message);
        self.add((Kind::DuplicateRange, Level::Notice), aggregate.config.id, Subject::Prefix(spot.range), told);
    }

    fn stale(&mut self, spot: &Spot<'a>, aggregate: &Aggregate<'_>, net: usize) {
        let (ground, prefix) = (self.ground, spot.prefix);
        if !ground.knows_own_tenants() || !ground.nets.is_ours(net) {
            return;
        }
        let is_customer = |tenant: &RowId| !ground.is_own(*tenant, aggregate);
        let in_use = |status: &str| ground.policy.assigned_statuses.contains(status) || status == CONTAINER;
        let customer = prefix.tenant.filter(is_customer);
        if customer.is_some() && in_use(&prefix.status) {
            // It belongs to the assignment around it.
            return;
        }
        let subject = Subject::Prefix(spot.range);
        let first_seen = ground.first_seen(Kind::Stale, &subject);
        let since = self.since(prefix, first_seen, |state| {
            super::since::is_same(prefix, state)
                && !(state.tenant.is_some_and(|it| is_customer(&it)) && in_use(&state.status))
        });
        let why = match (prefix.tenant, customer) {
            (None, _) => "it has no tenant".to_owned(),
            (Some(tenant), None) => format!("its tenant is {}, which is us", ground.name_of(tenant)),
            (Some(_), Some(_)) => format!("its status is {}", prefix.status),
        };
        let message = format!(
            "{} is registered for {}, but NetBox has the prefix assigned to nobody since {}: {why}.",
            self.handles(&[net]),
            self.holder_words(net),
            since_words(since),
        );
        let told = (self.links_with(spot, net), message);
        self.add_with((Kind::Stale, Level::Notice), aggregate.config.id, subject, told, (Some(since), None));
    }

    /// Returns the change request that registers exactly this range and may still be done.
    fn pending(&self, range: NetBlock) -> Option<&'a ChangeRequest> {
        let open = |request: &&&ChangeRequest| request.creates() && UNDER_WAY.contains(&request.state.as_str());
        let mut requests = self.ground.requests().iter().rev().filter(open);
        requests.find(|request| request.range == Some(range)).copied()
    }

    /// Names nets with their ranges.
    pub(super) fn handles(&self, nets: &[usize]) -> String {
        let named = nets.iter().filter_map(|at| self.ground.nets.get(*at));
        let mut words: Vec<String> =
            named.take(NAMED).map(|net| format!("{} ({})", net.handle, written(net.range))).collect();
        if nets.len() > NAMED {
            words.push(format!("{} more", nets.len() - NAMED));
        }
        words.join(", ")
    }

    /// Names whoever holds a net.
    pub(super) fn holder_words(&self, at: usize) -> String {
        let Some(net) = self.ground.nets.get(at) else { return "nobody known".to_owned() };
        if let Some(org) = net.org() {
            let name = self.ground.org(org).map(|row| format!("{} ({org})", row.name));
            return name.unwrap_or_else(|| format!("organization {org}"));
        }
        match net.customer() {
            Some(handle) => {
                let name = self.ground.customer(handle).map(|row| format!("{} ({handle})", row.name));
                name.unwrap_or_else(|| format!("customer {handle}"))
            }
            None => "nobody known".to_owned(),
        }
    }
}

fn first_link(ground: &Ground<'_>, nets: &[usize]) -> Option<Arc<Link>> {
    nets.first().and_then(|at| ground.link_to_net(*at))
}
