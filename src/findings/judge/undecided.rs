//! The recorded findings of which nothing can be said now, so that they stay as they are.

use std::collections::BTreeSet;

use super::{
    super::{finding::Subject, kind::Kind},
    ground::Ground,
    sheet::nets_in_doubt,
    subjects::Spot,
};
use crate::model::{CustomerHandle, Key, LookSource, NetBlock, NetHandle, ObjectType, OrgHandle, Standing};

/// Returns the open findings on record whose subject is not known now. `tickets` are further subjects of which nothing can be
/// said.
pub(super) fn undecided(ground: &Ground<'_>, spots: &[Spot<'_>], tickets: &[Subject]) -> BTreeSet<Key> {
    if ground.plan.first_seen.is_empty() {
        return BTreeSet::new();
    }
    let unknown = unknown_subjects(ground, spots, tickets);
    let known_nets = known_nets(ground);
    // Where the listing was not had, what only it had is not known.
    let without_listing = ground.aggregates.iter().any(|aggregate| {
        aggregate.unknown.is_some() || aggregate.look.is_some_and(|look| look.source == LookSource::Questions)
    });
    let is_undecided = |key: &&Key| {
        let Some(handle) = key.handle_at(ground.instance) else { return false };
        let Some((family, identity)) = handle.split_once('/') else { return false };
        if family == Kind::NotKnown.name() {
            return false;
        }
        let listed_only = || {
            let net = identity.strip_prefix("net ").and_then(|rest| rest.split(' ').next());
            net.is_some_and(|net| !known_nets.contains(net))
        };
        // Whose the tenants are decides what is assigned, and whose organizations are us.
        !ground.knows_own_tenants() || unknown.contains(identity) || (without_listing && listed_only())
    };
    ground.plan.first_seen.keys().filter(is_undecided).cloned().collect()
}

fn known_nets<'a>(ground: &Ground<'a>) -> BTreeSet<&'a str> {
    let recorded = ground.registrations.nets.iter().filter(|net| net.instance == *ground.instance);
    let listed = ground.nets.all().map(|(_, net)| net.handle);
    recorded.map(|net| &net.handle).chain(listed).map(NetHandle::as_str).collect()
}

/// Returns what tells the subjects apart that are not known.
fn unknown_subjects(ground: &Ground<'_>, spots: &[Spot<'_>], tickets: &[Subject]) -> BTreeSet<String> {
    let mut unknown: BTreeSet<String> = tickets.iter().map(Subject::identity).collect();
    let mut in_doubt = nets_in_doubt(ground, spots);
    for spot in spots.iter().filter(|spot| spot.unknown.is_some()) {
        unknown.insert(Subject::Prefix(spot.range).identity());
        in_doubt.extend(spot.own_net());
    }
    for net in in_doubt.into_iter().filter_map(|at| ground.nets.get(at)) {
        unknown.insert(Subject::Net(net.handle.clone(), net.registered_on).identity());
    }
    for answer in ground.answers().filter(|answer| answer.standing == Standing::Denied) {
        let customer = || CustomerHandle::new(&answer.handle).map(Subject::Customer);
        let org = || OrgHandle::new(&answer.handle).map(Subject::Org);
        let subject = if answer.object == ObjectType::Customer { customer() } else { org() };
        unknown.extend(subject.map(|subject| subject.identity()));
        if let Some(net) = answer.net.as_ref().and_then(|net| ground.nets.get(ground.nets.at(net)?)) {
            unknown.insert(Subject::Net(net.handle.clone(), net.registered_on).identity());
        }
    }
    for aggregate in &ground.aggregates {
        let range = aggregate.planned.prefix.trunc();
        let unanswered = || aggregate.look.is_some_and(|look| look.unanswered.contains_key(&range));
        if aggregate.unknown.is_some() || unanswered() {
            unknown.insert(Subject::Aggregate(range).identity());
        }
    }
    let listed = ground.nets.all().map(|(_, net)| (net.handle, net.registered_on, Some(net.range)));
    let recorded = ground.registrations.nets.iter().filter(|net| net.instance == *ground.instance);
    let recorded = recorded.map(|net| (&net.handle, net.registered_on, NetBlock::spanning(&net.blocks)));
    for (handle, registered_on, range) in listed.chain(recorded) {
        let aggregate = range.and_then(|range| Some((range, ground.aggregates.get(ground.aggregate_around(range)?)?)));
        if aggregate.is_some_and(|(range, aggregate)| aggregate.unknown_net(range).is_some()) {
            unknown.insert(Subject::Net(handle.clone(), registered_on).identity());
        }
    }
    unknown
}
