//! The checks of a removal. Nothing brings back what hangs on a net, so all of that is told first.

use std::collections::BTreeSet;

use super::{
    super::{
        answered::Answered,
        change::{Check, CustomerRemoval, NetTarget, NetworkRemoval},
        identity,
    },
    known::Known,
    live::Live,
    sheet::{blocked, look, passed},
};
use crate::model::{Holder, Net, NetType};

/// The most names that are told one by one.
const MOST_NAMES: usize = 10;

pub(super) fn network(removal: &NetworkRemoval, live: &Live, known: &Known) -> Vec<Check> {
    let target = &removal.net;
    let mut checks = vec![net(target, live)];
    checks.extend(live.net.found().map(kind));
    checks.extend([
        holder(target, known),
        below(target, known),
        listed("delegations", "Reverse DNS goes with the net", &live.delegations),
        listed("routes", "Nobody says what becomes of its route objects", &live.routes),
    ]);
    checks
}

fn net(target: &NetTarget, live: &Live) -> Check {
    let handle = &target.handle;
    match &live.net {
        Answered::Absent => blocked("net", format!("ARIN has no {handle} any more; there is nothing to remove.")),
        Answered::NotKnown(why) => blocked("net", format!("It is not known whether {handle} is the one meant: {why}.")),
        Answered::Found(found) => {
            let differences = identity::differences(target, found);
            if !differences.is_empty() {
                let differences = differences.join(", ");
                return blocked(
                    "net",
                    format!("{handle} is not the net that was meant: {differences}; prepare it again."),
                );
            }
            if found.registration_date.is_none() {
                let reason = format!("ARIN does not say when {handle} was registered, and it uses handles again.");
                return look("net", reason);
            }
            passed("net", format!("{handle} has the range, the holder and the registration date that are meant."))
        }
    }
}

fn kind(found: &Net) -> Check {
    let handle = &found.handle;
    match &found.kind {
        Some(kind @ (NetType::Reassigned | NetType::Reallocated)) => {
            passed("type", format!("{handle} is of type {}.", kind.code()))
        }
        other @ (Some(NetType::DirectAllocation | NetType::Registry(_) | NetType::Other(_)) | None) => {
            let code = other.as_ref().map_or("none", NetType::code);
            blocked("type", format!("{handle} is of type {code}; ARIN removes only S and A nets here."))
        }
    }
}

/// A customer stays behind; one's own space would be lost.
fn holder(target: &NetTarget, known: &Known) -> Check {
    match &target.holder {
        Some(Holder::Org(org)) if known.ours.contains(org) => look(
            "holder",
            format!("{} is held by {org}, which is yours: the space would be given back.", target.handle),
        ),
        Some(Holder::Customer(customer)) => {
            passed("holder", format!("Customer {customer} stays at ARIN, and gets a request to be deleted."))
        }
        other @ (Some(Holder::Org(_)) | None) => {
            passed("holder", format!("It is held by {}, which stays at ARIN.", identity::holder(other.as_ref())))
        }
    }
}

/// Leaves go before the nets they were cut from: ARIN would take all of them in one go, unseen.
fn below(target: &NetTarget, known: &Known) -> Check {
    let inside = known.inside(target.range).map(|net| &net.handle);
    let cut = known.registered().filter(|net| net.parent.as_ref() == Some(&target.handle)).map(|net| &net.handle);
    let handles: BTreeSet<&str> =
        inside.chain(cut).filter(|handle| **handle != target.handle).map(|handle| handle.as_str()).collect();
    if handles.is_empty() {
        return passed("below", format!("No net below {} is recorded in NetBox.", target.handle));
    }
    let handles = Vec::from_iter(handles);
    blocked("below", format!("These lie below {} and go first: {}.", target.handle, some(&handles)))
}

fn listed(name: &str, what: &str, answer: &Answered<Vec<String>>) -> Check {
    match answer {
        Answered::Found(names) if !names.is_empty() => look(name, format!("{what}: {}.", some(names))),
        Answered::Found(_) | Answered::Absent => passed(name, format!("There are no {name} under the net.")),
        Answered::NotKnown(why) => look(name, format!("It is not known which {name} are under the net: {why}.")),
    }
}

/// Names some of many.
fn some<S: AsRef<str>>(names: &[S]) -> String {
    let told: Vec<&str> = names.iter().take(MOST_NAMES).map(AsRef::as_ref).collect();
    let told = told.join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

pub(super) fn customer(removal: &CustomerRemoval, live: &Live, known: &Known) -> Vec<Check> {
    let handle = &removal.customer;
    let there = match &live.customer {
        Answered::Found(found) => passed("customer", format!("ARIN has customer {handle} ({}).", found.name)),
        Answered::Absent => blocked("customer", format!("ARIN has no customer {handle} any more.")),
        Answered::NotKnown(why) => {
            blocked("customer", format!("It is not known whether ARIN has customer {handle}: {why}."))
        }
    };
    vec![there, tied(removal, live, known)]
}

/// ARIN refuses to delete a customer who is tied to a net (409), so the net goes first.
fn tied(removal: &CustomerRemoval, live: &Live, known: &Known) -> Check {
    let (customer, held) = (&removal.customer, Holder::Customer(removal.customer.clone()));
    let made_with = removal.net.as_ref().map(|net| &net.handle);
    let other = known.held_by(customer).find(|net| Some(&net.handle) != made_with);
    if let Some(other) = other {
        return blocked("net", format!("Customer {customer} holds {}; remove that first.", other.handle));
    }
    let Some(target) = &removal.net else {
        return look("net", format!("It is not known which net customer {customer} was made with."));
    };
    match &live.net {
        Answered::Absent => passed("net", format!("ARIN has no {} any more.", target.handle)),
        Answered::Found(net) if net.holder.as_ref() == Some(&held) => {
            blocked("net", format!("Customer {customer} holds {}; remove that first.", target.handle))
        }
        Answered::Found(net) if net.holder.is_some() => {
            let holder = identity::holder(net.holder.as_ref());
            passed("net", format!("{} is another net by now, held by {holder}.", target.handle))
        }
        Answered::Found(_) => blocked("net", format!("ARIN does not say who holds {}.", target.handle)),
        Answered::NotKnown(why) => blocked("net", format!("It is not known whether {} is gone: {why}.", target.handle)),
    }
}
