//! The checks of a change of what is registered.

use super::{
    super::{
        answered::Answered,
        change::{Check, Content, CustomerChange, NetworkChange},
    },
    create,
    live::Live,
    sheet::{blocked, passed},
};

pub(super) fn network(change: &NetworkChange, content: &Content, live: &Live) -> Vec<Check> {
    let mut checks = vec![base(change.net.handle.as_str(), content, live)];
    checks.extend(change.name.as_deref().map(create::name));
    checks
}

pub(super) fn customer(change: &CustomerChange, content: &Content, live: &Live) -> Vec<Check> {
    let handle = change.customer.as_str();
    let mut faults = change.name.as_deref().map(create::name_faults).unwrap_or_default();
    faults.extend(change.address.as_ref().map(create::address_faults).unwrap_or_default());
    vec![base(handle, content, live), create::told_customer(handle, &faults)]
}

/// The whole document is sent back, so that what somebody else has changed in it since would be lost.
fn base(handle: &str, content: &Content, live: &Live) -> Check {
    let reason = match (&live.base, &content.base) {
        (Answered::Found(now), Some(base)) if now == base => {
            return passed("base", format!("{handle} is at ARIN as it was when this was made of it."));
        }
        (Answered::Found(_), Some(_)) => {
            format!("{handle} has changed at ARIN since this was made of it; prepare it again.")
        }
        (Answered::Found(_), None) => {
            format!("It was not kept what {handle} was like when this was made of it; prepare it again.")
        }
        (Answered::Absent, _) => format!("ARIN has no {handle} any more."),
        (Answered::NotKnown(why), _) => format!("It is not known whether {handle} has changed: {why}."),
    };
    blocked("base", reason)
}
