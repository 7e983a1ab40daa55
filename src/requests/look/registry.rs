//! How the registry stands towards a change.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{
        answered::Answered,
        change::{Change, NetTarget},
        identity::{self, written_range},
        intent::Intent,
    },
    compare::{self, Likeness},
    seen::{Registered, Seen},
};
use crate::{
    arin::{NewHolder, NewNet},
    model::{Customer, CustomerHandle, Net, NetType},
};

/// How the registry stands towards a change.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::requests) enum RegistryState {
    /// As the change asks for.
    AsAsked(Box<Registered>),
    /// Nothing of the change is to be seen.
    Nothing,
    /// In the way of the change stands something else, as a sentence says.
    Other(String),
    /// It cannot be told, for this reason.
    NotKnown(String),
}

/// Judges what was seen.
pub(in crate::requests) fn registry_state(intent: &Intent, seen: &Seen) -> RegistryState {
    match &intent.change {
        Change::Create(asked) => created(asked, intent.earliest(), seen),
        Change::ChangeNetwork(asked) => match &seen.net {
            Answered::Found(net) if is_same(&asked.net, net) => {
                changed(compare::changed_net(asked, net), as_asked(Some(net), None))
            }
            Answered::Found(_) => RegistryState::Other(format!("{} is another net by now.", asked.net.handle)),
            Answered::Absent => RegistryState::Other(format!("ARIN has no {} any more.", asked.net.handle)),
            Answered::NotKnown(why) => RegistryState::NotKnown(why.clone()),
        },
        Change::ChangeCustomer(asked) => match &seen.customer {
            Answered::Found(customer) => {
                changed(compare::changed_customer(asked, customer), as_asked(None, Some(customer)))
            }
            Answered::Absent => RegistryState::Other(format!("ARIN has no customer {} any more.", asked.customer)),
            Answered::NotKnown(why) => RegistryState::NotKnown(why.clone()),
        },
        Change::RemoveNetwork(asked) => removed(&asked.net, intent.registered_at, seen),
        Change::DeleteCustomer(_) => match &seen.customer {
            Answered::Absent => as_asked(None, None),
            Answered::Found(_) => RegistryState::Nothing,
            Answered::NotKnown(why) => RegistryState::NotKnown(why.clone()),
        },
    }
}

fn as_asked(net: Option<&Net>, customer: Option<&Customer>) -> RegistryState {
    RegistryState::AsAsked(Box::new(Registered { net: net.cloned(), customer: customer.cloned() }))
}

fn created(asked: &NewNet, earliest: Timestamp, seen: &Seen) -> RegistryState {
    let net = match &seen.net {
        Answered::Absent => return RegistryState::Nothing,
        Answered::NotKnown(why) => return RegistryState::NotKnown(why.clone()),
        // The net around the range comes back where it has none of its own.
        Answered::Found(net) if is_around(net, asked) => return RegistryState::Nothing,
        Answered::Found(net) => net,
    };
    let mut differences = compare::new_net(asked, net);
    differences.extend(compare::new_holder(&asked.holder, net));
    differences.extend(compare::net_name(&asked.name, net));
    if is_older(net, earliest) {
        let date = net.registration_date.map(|date| date.to_string()).unwrap_or_default();
        differences.push(format!("it was registered before this was sent, on {date}"));
    }
    if !differences.is_empty() {
        return conflict(asked, net, &differences);
    }
    let (NewHolder::Customer(wanted), Some(holder)) = (&asked.holder, net.customer()) else {
        return as_asked(Some(net), None);
    };
    match customer_of(net, holder, seen) {
        Err(why) => RegistryState::NotKnown(why),
        Ok(customer) => match compare::new_customer(wanted, customer) {
            Likeness::Same => as_asked(Some(net), Some(customer)),
            Likeness::Other(differences) => conflict(asked, net, &differences),
            Likeness::Hidden(why) => RegistryState::NotKnown(why),
        },
    }
}

fn conflict(asked: &NewNet, net: &Net, differences: &[String]) -> RegistryState {
    let differences = differences.join(", ");
    RegistryState::Other(format!(
        "{} has {}, which is not what was asked for: {differences}.",
        written_range(asked.range),
        net.handle
    ))
}

fn customer_of<'a>(net: &Net, holder: &CustomerHandle, seen: &'a Seen) -> Result<&'a Customer, String> {
    match &seen.customer {
        Answered::Found(customer) if customer.handle == *holder => Ok(customer),
        Answered::Found(_) => Err(format!("the holder of {} changed while it was looked at", net.handle)),
        Answered::Absent => Err(format!("ARIN has {}, but not its customer {holder}", net.handle)),
        Answered::NotKnown(why) => Err(format!("it is not known who customer {holder} is: {why}")),
    }
}

/// Returns whether a net is the parent of the one that was asked for, or another one that it could be cut from.
fn is_around(net: &Net, asked: &NewNet) -> bool {
    let around = net.range().is_some_and(|range| range != asked.range && range.covers(&asked.range));
    net.handle == asked.parent || (around && net.kind != Some(NetType::Reassigned))
}

/// Returns whether a net was registered before a call can have been. The day alone counts where ARIN writes no more;
/// it may be the day before, where ARIN is.
fn is_older(net: &Net, earliest: Timestamp) -> bool {
    match identity::registered_at(net) {
        Some(at) => at < earliest,
        None => net.registration_date.is_some_and(|date| date < day_before(earliest)),
    }
}

fn day_before(at: Timestamp) -> Date {
    let day = at.to_zoned(TimeZone::UTC).date();
    day.yesterday().unwrap_or(day)
}

fn removed(target: &NetTarget, registered_at: Option<Timestamp>, seen: &Seen) -> RegistryState {
    let net = match &seen.net {
        Answered::Absent => return as_asked(None, None),
        Answered::NotKnown(why) => return RegistryState::NotKnown(why.clone()),
        Answered::Found(net) => net,
    };
    // Its handle was given to a new net: the one that was meant is gone.
    if is_later(net, target, registered_at) {
        return as_asked(None, None);
    }
    let differences = identity::differences(target, net);
    if differences.is_empty() {
        return RegistryState::Nothing;
    }
    RegistryState::Other(format!(
        "{} is not the net that was to be removed: {}.",
        target.handle,
        differences.join(", ")
    ))
}

/// Returns whether a net bears another date than the one that was meant, and so only its handle.
fn is_later(net: &Net, target: &NetTarget, registered_at: Option<Timestamp>) -> bool {
    match (identity::registered_at(net), registered_at) {
        (Some(at), Some(meant)) => at != meant,
        (Some(_) | None, _) => net.registration_date.zip(target.registered_on).is_some_and(|(is, meant)| is != meant),
    }
}

fn is_same(target: &NetTarget, net: &Net) -> bool {
    identity::differences(target, net).is_empty()
}

fn changed(likeness: Likeness, as_asked: RegistryState) -> RegistryState {
    match likeness {
        Likeness::Same => as_asked,
        Likeness::Other(_) => RegistryState::Nothing,
        Likeness::Hidden(why) => RegistryState::NotKnown(why),
    }
}
